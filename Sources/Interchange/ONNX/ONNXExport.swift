public import Diagnostics
import Graph
public import ModelFile
import Tensors
import YAML

/// Writes models as ONNX files.
public enum ONNXExport {
  /// The version of ONNX's operators that is written: old enough for every runtime in use, new enough for all operators
  /// needed. It came with ONNX 1.12 (2022), whose files are of IR version 8.
  public static let operatorSetVersion = 17
  static let irVersion = 8
  /// What one protobuf message can hold.
  static let largestFile = Int(Int32.max)

  /// The bytes of an ONNX file that computes what the model does in inference; parameters that have no values anywhere
  /// are drawn.
  ///
  /// Values are named by the paths of their layers, parameters by their own. Throws where a parameter cannot be read or
  /// the file would be larger than ONNX's 2 GiB.
  public static func bytes(of model: Model, producerVersion: String = "") throws(Failure) -> [UInt8] {
    let graph = model.graph
    var size = 0
    for index in usedParameters(of: graph) {
      let (bytes, overflow) = model.parameters[index].count.multipliedReportingOverflow(by: model.elementType.size)
      size = size.addingReportingOverflow(overflow ? Int.max / 2 : bytes).partialValue
      guard !overflow, size >= 0, size < largestFile - (1 << 24) else {
        throw Failure(
          .cannotCreate, "the model's parameters are too large for an ONNX file, which holds at most 2 GiB")
      }
    }
    var writer = ONNXGraphWriter(model: model, graph: graph)
    try writer.writeAll()
    var result = ONNXModel()
    result.irVersion = irVersion
    result.producerName = "nnrun"
    result.producerVersion = producerVersion
    result.operatorSets = [ONNXOperatorSet(domain: "", version: operatorSetVersion)]
    result.documentation = model.root["description"]?.string ?? ""
    for entry in model.root["metadata"]?.entries ?? [] {
      if let value = entry.value.string { result.metadata.append((entry.key, value)) }
    }
    if let version = model.root["version"]?.string, !result.metadata.contains(where: { $0.key == "version" }) {
      result.metadata.append(("version", version))
    }
    result.graph = writer.onnx
    return result.bytes
  }

  /// The parameters that the graph's steps take, by index.
  static func usedParameters(of graph: Graph) -> [Int] {
    let taken = Set(graph.steps.flatMap(\.inputs))
    return graph.parameters.indices.filter { taken.contains(graph.parameters[$0]) }
  }
}
