import Diagnostics
import Graph
import Layers
import YAML

/// A residual whose body and shortcut give different shapes: finds the layer of the body that the author will want to
/// change.
struct ResidualMismatch {
  let body: Shape
  let shortcut: Shape
  let layout: Layout

  func diagnostic(
    of item: LayerItem, bodyLayers: ArraySlice<GraphAssembly.BuiltLayer>, graph: Graph, sink: DiagnosticSink
  ) -> Diagnostic {
    let message =
      "the body gives \(layout.presented(body).text) but the shortcut gives \(layout.presented(shortcut).text)"
    let prefix = item.path + "."
    let bodyNames: Set<String>
    if case .residual(let body, _) = item.kind { bodyNames = Set(body.map(\.path)) } else { bodyNames = [] }
    let convolutions = bodyLayers.filter { layer in
      layer.type == "conv2d" && layer.item.path.hasPrefix(prefix)
        && bodyNames.contains { layer.item.path == $0 || layer.item.path.hasPrefix($0 + ".") }
    }
    let place: SourceRange
    var notes: [DiagnosticNote] = []
    if body.count == 4, shortcut.count == 4, body[2...] != shortcut[2...],
      let shrinking = convolutions.last(where: { shrinks($0, graph) })
    {
      let node = shrinking.item.node
      place = node.entry("padding")?.keyRange ?? shrinking.item.range(of: "kernel")
      if let note = paddingNote(shrinking, graph) { notes.append(DiagnosticNote(note)) }
    } else if body.count == 4, shortcut.count == 4, body[2...] == shortcut[2...],
      let last = convolutions.last, let filters = last.item.node.entry("filters"), !item.hasShortcut
    {
      place = filters.keyRange
      notes.append(
        DiagnosticNote(
          "filters: \(shortcut[1]) would fit, or a `shortcut` with a 1x1 `conv2d` of \(body[1]) filters"))
    } else {
      place = item.nameRange
      if !item.hasShortcut {
        notes.append(
          DiagnosticNote("the shortcut is the identity; a `shortcut` with a 1x1 `conv2d` can change channels and size"))
      }
    }
    let uses = item.uses.reversed().map { DiagnosticNote("in block `\($0.block)`, used here", at: $0.place) }
    return Diagnostic(.residualShape, message, at: sink.place(place), notes: notes + uses)
  }

  /// Whether a convolution of stride 1 makes its image smaller.
  private func shrinks(_ layer: GraphAssembly.BuiltLayer, _ graph: Graph) -> Bool {
    guard let step = step(of: layer, graph), let convolution = step.operation as? Convolution else { return false }
    return convolution.window.stride == [1, 1]
      && graph.shape(step.inputs[0])[2...] != graph.shape(step.outputs[0])[2...]
  }

  private func paddingNote(_ layer: GraphAssembly.BuiltLayer, _ graph: Graph) -> String? {
    guard let step = step(of: layer, graph), let convolution = step.operation as? Convolution else { return nil }
    let input = graph.shape(step.inputs[0])
    let window = convolution.window
    guard let height = try? window.extent(.height), let width = try? window.extent(.width) else { return nil }
    let kept = "\(input[2]) by \(input[3])"
    if height == width, height % 2 == 1 { return "padding \((height - 1) / 2) would keep \(kept)" }
    return "padding same would keep \(kept)"
  }

  private func step(of layer: GraphAssembly.BuiltLayer, _ graph: Graph) -> Graph.Step? {
    graph.steps.first { $0.label == layer.item.path && $0.operation is Convolution }
  }
}

extension LayerItem {
  /// Whether a residual has layers on its shortcut.
  var hasShortcut: Bool {
    if case .residual(_, .some) = kind { true } else { false }
  }
}
