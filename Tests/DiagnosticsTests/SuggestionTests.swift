import Diagnostics
import Testing

@Suite("Did you mean")
struct SuggestionTests {
  private static let keys = ["name", "type", "filters", "kernel", "stride", "padding", "bias", "activation", "input"]

  @Test(
    "A slip of the keyboard finds the word that was meant",
    arguments: [
      ("paddin", "padding"), ("pading", "padding"), ("padidng", "padding"), ("Padding", "padding"), ("tpye", "type"),
      ("strides", "stride"), ("filter", "filters"), ("kernal", "kernel"), ("baias", "bias"), ("nmae", "name"),
      ("activaton", "activation"), ("inputs", "input"), ("ACTIVATION", "activation"),
    ])
  func slips(word: String, meant: String) {
    #expect(suggestion(for: word, among: Self.keys) == meant)
  }

  @Test("A word that is nobody's neighbour finds nothing", arguments: ["", "x", "units", "epochs", "zzzzzz", "na"])
  func strangers(word: String) {
    #expect(suggestion(for: word, among: Self.keys) == nil)
  }

  @Test("The nearest wins, then the first; underscores and case are half a slip")
  func ties() {
    #expect(suggestion(for: "conv3", among: ["conv1", "conv2"]) == "conv1")
    #expect(suggestion(for: "batch_size", among: ["batchsize", "batch-size"]) == "batch-size")
    #expect(suggestion(for: "relu", among: ["relu"]) == nil)
    #expect(suggestion(for: "learning_rate", among: ["learning-rate"]) == "learning-rate")
  }
}
