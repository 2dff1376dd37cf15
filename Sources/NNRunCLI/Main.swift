import ModelFile
import NNRun
import Diagnostics
@main
struct Main {
  static func main() throws {
    let l = try ModelLoader.load(path: CommandLine.arguments[1])
    for d in l.diagnostics { print("\(d.place.source.name):\(d.place.start.line):\(d.place.start.column): \(d.severity): \(d.message) [\(d.code.rawValue)]"); for n in d.notes { print("   note: \(n.message) \(n.place.map { "\($0.start)" } ?? "")") } }
    if let m = l.model {
      print(ModelSummary(m).text)
      if CommandLine.arguments.count > 2 { print(GraphDiagram(m).svg) }
    }
  }
}
