import Files

/// "wrote a.yaml and a.safetensors", each as it is named from the current folder where it lies in it.
func wordsFor(written files: [FilePath]) -> String {
  let folder = try? OperatingSystem().resolve(".")
  let names = files.map { file in
    (folder.flatMap { file.relative(to: $0) } ?? file).description
  }
  return "wrote " + names.joined(separator: " and ")
}
