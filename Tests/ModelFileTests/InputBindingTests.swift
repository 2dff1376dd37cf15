import Diagnostics
import ModelFile
import Testing

@Suite("Arrays bind the sizes that a model leaves open")
struct InputBindingTests {
  private let text = """
    nnrun: 1
    inputs: {x: {shape: [N, 2, H, W]}, y: {shape: [N, H]}}
    layers: [{name: a, type: relu, input: x}, {name: b, type: relu, input: y}]
    outputs: [a, b]
    """

  @Test("each symbol has the size that the arrays give it")
  func sizes() throws {
    let model = try model(text)
    let binding = try InputBinding(model, shapes: [[5, 2, 7, 9], [5, 7]])
    #expect(binding.sizes == ["N": 5, "H": 7, "W": 9])
    #expect(binding.rows == 5 && !binding.isUnbatched)
    let single = try InputBinding(model, shapes: [[2, 7, 9], [7]])
    #expect(single.sizes == ["N": 1, "H": 7, "W": 9] && single.isUnbatched)
    // A batch may have no rows.
    #expect(try InputBinding(model, shapes: [[0, 2, 7, 9], [0, 7]]).rows == 0)
  }

  @Test(
    "what does not fit is said with the input, the axis and both sizes",
    arguments: [
      (
        [[5, 2, 7, 9], [5, 8]], ["`H` has one size everywhere", "axis 2 of input `x` is 7", "axis 1 of input `y` is 8"]
      ),
      ([[5, 3, 7, 9], [5, 7]], ["input `x` has the shape [N, 2, H, W]", "axis 1 is 3 where 2 is expected"]),
      ([[5, 2, 7, 9], [5, 7, 1]], ["input `y` has the shape [N, H]", "rank 3: [5, 7, 1]"]),
      ([[9], [5, 7]], ["input `x` has the shape [N, 2, H, W]", "rank 1: [9]"]),
      ([[2, 7, 9], [5, 7]], ["input `x` lacks its first axis but input `y` has it"]),
      ([[5, 2, 0, 9], [5, 0]], ["axis 2 of input `x` is empty", "only the batch"]),
    ])
  func misfits(shapes: [[Int]], words: [String]) throws {
    let model = try model(text)
    do {
      _ = try InputBinding(model, shapes: shapes)
      Issue.record("\(shapes) were taken")
    } catch {
      #expect(error.kind == .invalidData)
      for word in words { #expect(error.message.contains(word), "\(error.message)") }
    }
  }
}
