import Diagnostics
import ModelFile

/// Reads the model that a command names, shows its warnings, and throws its errors.
func loadModel(_ path: String, _ options: SharedOptions) throws(Failure) -> Model {
  let loaded = try ModelLoader.load(path: path)
  guard let model = loaded.model else {
    Console.report(loaded.diagnostics, color: options.color)
    throw Failure(Failure(loaded.diagnostics).kind, "")
  }
  Console.report(loaded.diagnostics, color: options.color)
  return model
}
