import Diagnostics
import Graph

extension ModelSummary {
  /// The table as JSON, for programs.
  public var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("name")
      json.string(name)
      json.key("layers")
      json.array { json in
        for row in rows { Self.write(row, to: &json) }
      }
      json.key("parameters")
      json.integer(parameterCount)
      json.key("running_statistics")
      json.integer(statisticCount)
      json.key("multiply_adds")
      if let multiplyAdds { Self.write(multiplyAdds, to: &json) } else { json.null() }
    }
    return json.text
  }

  private static func write(_ row: Row, to json: inout JSONWriter) {
    json.object { json in
      json.key("path")
      json.string(row.path)
      json.key("type")
      json.string(row.type)
      json.key("output_shape")
      json.array { json in
        for dimension in row.shape { write(dimension, to: &json) }
      }
      json.key("parameters")
      json.integer(row.parameterCount)
      json.key("running_statistics")
      json.integer(row.statisticCount)
      json.key("multiply_adds")
      write(row.multiplyAdds, to: &json)
      json.key("used")
      json.boolean(row.isUsed)
    }
  }

  /// A known length as a number, another as its expression.
  private static func write(_ dimension: Dimension, to json: inout JSONWriter) {
    if let value = dimension.value { json.integer(value) } else { json.string(dimension.description) }
  }
}
