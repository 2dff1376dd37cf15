// How quickly a model with a million inline weights is read, against libyaml's own event loop over the same bytes, and
// how much memory that takes above the file. Run it by hand: `swift run -c release YAMLBenchmark [COUNT [double|unicode|FILE.json]]`.
import CLibYAML
import Diagnostics
import Glibc
import YAML

/// A model whose dense layer has `count` weights, 64 to a row, one row to a line.
func model(count: Int, isDouble: Bool) -> [UInt8] {
  var text = "nnrun: 1\ninputs:\n  x: {shape: [N, 64]}\nlayers:\n  - name: scores\n    type: dense\n    weight:\n"
  var state: UInt64 = 7
  for row in 0..<count / 64 {
    text += row == 0 ? "      [[" : "       ["
    for column in 0..<64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let weight = (Double(state >> 11) / Double(1 << 53) - 0.5) / 4
      text += (column == 0 ? "" : ", ") + (isDouble ? weight.description : Float(weight).description)
    }
    text += row + 1 == count / 64 ? "]]\n" : "],\n"
  }
  return Array(text.utf8)
}

/// The events that libyaml finds in `bytes`.
func libyamlEvents(_ bytes: [UInt8]) -> Int {
  unsafe bytes.withUnsafeBufferPointer { bytes in
    var parser = unsafe yaml_parser_t()
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_initialize(&parser) == 1 else { return 0 }
    defer { unsafe yaml_parser_delete(&parser) }
    unsafe yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
    var count = 0
    while unsafe yaml_parser_parse(&parser, &event) == 1 {
      count += 1
      let isEnd = unsafe event.type == YAML_STREAM_END_EVENT
      unsafe yaml_event_delete(&event)
      if isEnd { break }
    }
    return count
  }
}

/// The peak of the process's resident memory since `resetPeak`, in kilobytes, as Linux counts it.
func peakMemory() -> Int {
  guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
  defer { unsafe fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while unsafe fgets(&line, 256, file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) ?? 0 }
  }
  return 0
}

/// Makes what is resident now the peak.
func resetPeak() {
  guard let file = unsafe fopen("/proc/self/clear_refs", "w") else { return }
  unsafe fputs("5", file)
  unsafe fclose(file)
}

let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 1_000_000 : 1_000_000
var bytes = model(count: count, isDouble: CommandLine.arguments.last == "double")
if CommandLine.arguments.last == "unicode" { bytes = Array("# ünïcode\n".utf8) + bytes }
let clock = ContinuousClock()
resetPeak()
let base = peakMemory()
let source = SourceText(name: "model.yaml", bytes: bytes)
let document = YAMLDocument.parse(source: source)
print("file \(bytes.count) bytes; peak above it \(peakMemory() - base) KB")
precondition(document.root?["layers"]?.items(in: source)?.first?["weight"]?.numbers?.values.count == count / 64 * 64)

var ratios: [Double] = []
for _ in 0..<7 {
  let libyaml = clock.measure { _ = libyamlEvents(bytes) }
  let ours = clock.measure {
    _ = YAMLDocument.parse(source: SourceText(name: "model.yaml", bytes: bytes)).root
  }
  print("libyaml \(libyaml), ours \(ours): \(Int(libyaml / ours * 100)) %")
  ratios.append(libyaml / ours)
}
print("median \(Int(ratios.sorted()[3] * 100)) % of libyaml's speed")

// The schema is read at every start of the program.
if let path = CommandLine.arguments.last, path.hasSuffix(".json"), let file = unsafe fopen(path, "r") {
  var json = [UInt8](repeating: 0, count: 1 << 20)
  let count = unsafe fread(&json, 1, json.count, file)
  json.removeLast(json.count - count)
  let times = (0..<500).map { _ in
    clock.measure { _ = JSONDocument.parse(source: SourceText(name: path, bytes: json)).root }
  }
  print("\(path), \(json.count) bytes: first \(times[0]), median \(times.sorted()[250])")
}
