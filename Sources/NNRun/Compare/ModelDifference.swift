public import Diagnostics
import ModelFile

/// Everything that two files have otherwise: two models, or two files of arrays.
public struct ModelDifference: Sendable {
  /// The files as they were named.
  public let oldName: String
  public let newName: String
  /// What the models say otherwise.
  public let changes: [ModelChange]
  /// What became of every parameter or array.
  public let arrays: [ArrayChange]
  /// Whether the files hold the same bytes.
  public let isIdentical: Bool
  /// The sides whose parameters could not be found, with the reason.
  public let remarks: [String]

  /// Whether nothing makes a difference: comments, layout and places of storage do not.
  public var isSame: Bool { changes.isEmpty && !arrays.contains { $0.isDifference } }

  /// Compares two files. Throws where one cannot be read, is neither a model nor holds arrays, or has errors; parameters
  /// in files that are missing beside a model are not compared.
  public init(from old: ComparedFile, to new: ComparedFile) throws(Failure) {
    oldName = old.name
    newName = new.name
    isIdentical = old.bytes != nil && old.bytes == new.bytes
    var renamedPaths: [(old: String, new: String)] = []
    switch (old.root, new.root) {
    case (let oldRoot?, let newRoot?):
      let structure = StructureComparison(oldRoot, newRoot)
      changes = structure.changes
      renamedPaths = structure.renamedPaths
    case (nil, let root?) where old.isNothing:
      changes = [ModelChange(section: .model, path: new.name, kind: .added, old: nil, new: root["description"])]
    case (let root?, nil) where new.isNothing:
      changes = [ModelChange(section: .model, path: old.name, kind: .removed, old: root["description"], new: nil)]
    case (nil, nil): changes = []
    default:
      let (model, file) = old.root == nil ? (new, old) : (old, new)
      throw Failure(
        .invalidData, "\(model.name) is a model, but \(file.name) is a file of arrays: they cannot be compared")
    }
    remarks = [old, new].compactMap(\.remark)
    arrays = try remarks.isEmpty ? ArrayChange.all(old.arrays, new.arrays, renamedPaths: renamedPaths) : []
  }
}
