import Foundation
import Testing

@Suite("Streams, names and resources that are not as usual")
struct ResourceTests {
  let program: Program

  init() throws {
    program = try Program()
    try program.write(neuron, to: "neuron.yaml")
    try program.write(npy([3, 2], [1, 2, 3, 4, 5, 6]), to: "x.npy")
    try program.write(npy([3, 1], [1, 0, 1]), to: "y.npy")
  }

  @Test("a full disk, a limit of a file's size and a lost reader are errors of writing, never signals")
  func full() throws {
    for line in [
      "nnrun schema > /dev/full", "nnrun --help > /dev/full", "nnrun show neuron.yaml > /dev/full",
      "nnrun validate --format json neuron.yaml > /dev/full", "nnrun neuron.yaml --input x.npy --output - > /dev/full",
      "nnrun neuron.yaml --input x.npy --json > /dev/full",
      "ulimit -f 0; nnrun neuron.yaml --input x.npy --output r.npy",
      "ulimit -f 0; nnrun train neuron.yaml --input x.npy --target y.npy --quiet",
    ] {
      #expect(try program.shell(line).status == 74, "\(line)")
    }
    #expect(try program.read("neuron.yaml") == Data(neuron.utf8))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: program.folder.path).allSatisfy { !$0.contains("nnrun-") })
    // With nobody to tell, the result still counts.
    #expect(try program.shell("nnrun neuron.yaml --input x.npy 2> /dev/full").status == 0)
    #expect(try program.shell("(nnrun schema; echo $? > status) | head -c 1").status == 0)
    // A pipe may take all of it before its reader leaves.
    #expect(try ["0\n", "74\n"].contains(String(decoding: program.read("status"), as: UTF8.self)))
    program.remove()
  }

  @Test("what is no regular file is refused as a model and as data, and nothing waits for it")
  func kinds() throws {
    _ = try program.shell("mkfifo pipe.yaml; mkdir folder.yaml; ln -s nowhere dangling.yaml; ln -s loop.yaml loop.yaml")
    for name in [
      "pipe.yaml", "folder.yaml", "dangling.yaml", "loop.yaml", "/dev/null", "/dev/zero", "/", "neuron.yaml/x",
    ] {
      for line in [
        "nnrun run \(name) --input x.npy", "nnrun neuron.yaml --input \(name)",
        "nnrun train \(name) --input x.npy --target y.npy", "nnrun show \(name)",
      ] {
        let result = try program.shell(line)
        #expect(result.status == 66 && !result.errors.isEmpty, "\(line): \(result.errors)")
      }
    }
    // A checkpoint is read again; whether it can be written is known before the first step.
    for name in ["pipe.yaml", "folder.yaml", "/dev/null", "-", "nowhere/c.safetensors"] {
      let result = try program.shell(
        "nnrun train neuron.yaml --input x.npy --target y.npy --quiet --checkpoint \(name)")
      #expect(result.status == 73 && result.errors.contains(name), "\(result.errors)")
    }
    #expect(try program.read("neuron.yaml") == Data(neuron.utf8))
    program.remove()
  }

  @Test("names that are not UTF-8, hold a line break or begin with a dash reach their files")
  func names() throws {
    let lines = #"""
      n=$(printf 'a\377b'); mkdir "$n"; cp neuron.yaml "$n/$n.yaml"; cp x.npy "$n/$n.npy"
      nnrun "$n/$n.yaml" --input "$n/$n.npy" --output "$n/r-$n.npy" && nnrun validate "$n" &&
      nnrun train "$n/$n.yaml" --input "$n/$n.npy" --target y.npy --quiet && ! cmp -s "$n/$n.yaml" neuron.yaml &&
      nnrun train "$n/$n.yaml" --input x.npy --target y.npy --quiet --output "$n/copy-$n.yaml" &&
      cp neuron.yaml ./-dash.yaml && cp x.npy ./-x.npy && nnrun run ./-dash.yaml --input ./-x.npy --output ./-r.npy &&
      nnrun run --input=-x.npy -- -dash.yaml && n=$(printf 'a\nb') && cp neuron.yaml "$n.yaml" &&
      nnrun "$n.yaml" --input x.npy
      """#
    let result = try program.shell(lines)
    #expect(result.status == 0, "\(result.errors)")
    program.remove()
  }

  @Test("`--max-memory` bounds what is read and computed; what is just below it runs")
  func memory() throws {
    try program.write(
      """
      nnrun: 1
      inputs: {x: {shape: [N, 2]}}
      layers: [{name: out, type: dense, units: 16777216, weight: 0.5, bias: false}]

      """, to: "wide.yaml")
    let refused = try program.shell("nnrun wide.yaml --input x.npy --max-memory 100M --output r.npy")
    #expect(refused.status == 65 && refused.errors.contains("--max-memory"), "\(refused.errors)")
    #expect(try program.shell("nnrun wide.yaml --input x.npy --max-memory 4GiB --output r.npy").status == 0)
    #expect(
      try program.shell("head -c 300000000 /dev/zero | nnrun neuron.yaml --input - --max-memory 50M").status == 65)
    #expect(try program.shell("nnrun neuron.yaml --input x.npy --max-memory 50M").status == 0)
    #expect(try program.shell("nnrun neuron.yaml --input x.npy --max-memory plenty").status == 64)
    program.remove()
  }

  @Test("a file larger than the limit is refused before a byte of it is read")
  func size() throws {
    for (line, largest) in [("validate large", 2_147_483_648), ("import large --output new.yaml", 2_147_483_647)] {
      let refused = try program.shell("truncate -s \(largest + 1) large; nnrun \(line)")
      #expect(refused.status == 65 && refused.errors.contains("the limit of \(largest) bytes"), "\(refused.errors)")
      // What is as large as the limit goes on to the next question, whether there is memory for it.
      let allowed = try program.shell("truncate -s \(largest) large; nnrun \(line) --max-memory 100M")
      #expect(allowed.status == 65 && allowed.errors.contains("--max-memory"), "\(allowed.errors)")
    }
    program.remove()
  }

  @Test("threads: from 1 to 1,024")
  func threads() throws {
    for (count, status) in [(0, 64), (1, 0), (1024, 0), (1025, 64)] {
      #expect(try program.shell("nnrun neuron.yaml --input x.npy --threads \(count)").status == status)
    }
    program.remove()
  }

  @Test("an instruction set that the processor does not have is refused, not passed over")
  func instructions() throws {
    let result = try program.shell("NNRUN_ISA=avx9000 nnrun neuron.yaml --input x.npy")
    #expect(result.status == 64 && result.errors.contains("this processor has baseline"), "\(result.errors)")
    #expect(try program.shell("NNRUN_ISA=baseline nnrun neuron.yaml --input x.npy").status == 0)
    program.remove()
  }
}
