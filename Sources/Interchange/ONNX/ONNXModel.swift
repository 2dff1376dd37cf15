/// The parts of ONNX's messages that format 1 can say something about; everything else is read over.
///
/// The fields' numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), where they never
/// change.
struct ONNXModel {
  var irVersion = 0
  var producerName = ""
  var producerVersion = ""
  var documentation = ""
  var operatorSets: [ONNXOperatorSet] = []
  var metadata: [(key: String, value: String)] = []
  /// Nil where the file holds no graph: an empty file is a valid protobuf message.
  var graph: ONNXGraph?
}

/// Which version of which set of operators a model uses; ONNX's own has the domain "".
struct ONNXOperatorSet {
  var domain = ""
  var version = 0
}

/// Nodes in an order in which they can run.
struct ONNXGraph {
  var name = ""
  var documentation = ""
  var nodes: [ONNXNode] = []
  var initializers: [ONNXTensor] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
  /// Whether some weights are given in a sparse form.
  var hasSparseInitializers = false
}

/// An operator applied to values; an empty name stands for an operand that is left out.
struct ONNXNode {
  var name = ""
  var operatorType = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [ONNXAttribute] = []
}

/// A named constant of a node.
struct ONNXAttribute {
  enum Value {
    case float(Float)
    case integer(Int)
    case string(String)
    case tensor(ONNXTensor)
    case floats([Float])
    case integers([Int])
    /// A kind that none of the operators read here has: a graph, sparse tensors, types ...
    case other
  }

  var name = ""
  var value = Value.other
}

/// A value's name, element type and shape.
struct ONNXValueInfo {
  enum Dimension: Equatable {
    case size(Int)
    case symbol(String)
    case unknown
  }

  var name = ""
  /// Nil where it is not a tensor.
  var elementType: Int?
  /// Nil where nothing is known of it.
  var shape: [Dimension]?
}

/// The numbers of an array, or where they are.
struct ONNXTensor {
  var name = ""
  var dimensions: [Int] = []
  var elementType = 0
  /// Little-endian numbers in row-major order; nil where the typed fields hold them.
  var raw: ArraySlice<UInt8>?
  /// The pieces of the field that holds the numbers for their type, in order: float_data (4), int32_data (5),
  /// int64_data (7), double_data (10).
  var typed: [(field: Int, value: WireReader.Value)] = []
  /// Where the numbers are if they are in a file of their own: location, offset, length.
  var external: [(key: String, value: String)]?
  /// The file that `typed` has its ranges in.
  var file: [UInt8] = []
}

/// The element types of ONNX that are read or written, by their numbers.
enum ONNXElementType {
  static let float = 1
  static let int32 = 6
  static let int64 = 7
  static let float16 = 10
  static let double = 11
  static let bfloat16 = 16
  /// The bytes of a number by its floating-point type.
  static let floatingSizes = [float: 4, double: 8, float16: 2, bfloat16: 2]

  /// The type's name for messages.
  static func name(_ type: Int) -> String {
    let names = [
      "no type", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double",
      "uint32", "uint64", "complex64", "complex128", "bfloat16",
    ]
    return names.indices.contains(type) ? names[type] : "element type \(type)"
  }
}
