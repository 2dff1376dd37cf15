import Diagnostics
import ModelFile

/// Reads the model that a command names, shows its warnings, and throws its errors.
func loadModel(_ path: String, _ options: SharedOptions) throws(Failure) -> Model {
  try loadModel(path, color: options.color)
}

/// The same, with the choice of colours given.
func loadModel(_ path: String, color: Console.ColorChoice) throws(Failure) -> Model {
  let loaded = try ModelLoader.load(path: path)
  guard let model = loaded.model else {
    Console.report(loaded.diagnostics, color: color)
    throw Failure(Failure(loaded.diagnostics).kind, "")
  }
  Console.report(loaded.diagnostics, color: color)
  return model
}
