public import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A picture of how training went: the loss above, each metric below it, by epochs.
public struct TrainingPlot: Sendable {
  private struct Curve {
    let name: String
    let color: String
    /// One value for each epoch; nil where there is none.
    let values: [Double?]
  }

  private struct Panel {
    let title: String
    let curves: [Curve]
    let isLogarithmic: Bool
  }

  private let panels: [Panel]
  private let epochs: [Int]

  private static let width = 640.0
  private static let panelHeight = 240.0
  private static let (left, right, top, bottom) = (72.0, 20.0, 34.0, 44.0)

  /// The picture of a history.
  public init(_ records: some Collection<EpochRecord>, metrics: [Metric]) {
    epochs = records.map(\.epoch)
    let (training, validation) = ("#2f6fbf", "#d9822b")
    func curves(_ own: [Double?], _ other: [Double?]) -> [Curve] {
      let curves = [Curve(name: "training", color: training, values: own)]
      return other.contains { $0 != nil }
        ? curves + [Curve(name: "validation", color: validation, values: other)] : curves
    }
    let losses = records.map(\.loss) + records.compactMap(\.validationLoss)
    // A loss that falls by orders of magnitude shows its end only on a logarithmic axis.
    let spread = (losses.max() ?? 1) / (losses.min() ?? 1)
    let loss = Panel(
      title: "loss", curves: curves(records.map(\.loss), records.map(\.validationLoss)),
      isLogarithmic: spread.isFinite && spread > 30 && losses.allSatisfy { $0 > 0 })
    panels =
      [loss]
      + metrics.enumerated().map { index, metric in
        let other = records.map { $0.validationMetrics.indices.contains(index) ? $0.validationMetrics[index] : nil }
        return Panel(
          title: metric.name.split(separator: "_").joined(separator: " "),
          curves: curves(records.map { $0.metrics[index] }, other),
          isLogarithmic: false)
      }
  }

  /// The picture as SVG.
  public var svg: String {
    let height = Self.panelHeight * Double(panels.count)
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(Self.width)) \(Self.number(height))" \
      width="\(Self.number(Self.width))" height="\(Self.number(height))" font-family="Helvetica, Arial, sans-serif" font-size="12">
      <title>training history</title>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    for (index, panel) in panels.enumerated() { text += svg(panel, top: Double(index) * Self.panelHeight) }
    return text + "</svg>\n"
  }

  private func svg(_ panel: Panel, top: Double) -> String {
    let values = panel.curves.flatMap { $0.values.compactMap { $0 } }.filter(\.isFinite)
    let axis = ValueAxis(values, isLogarithmic: panel.isLogarithmic)
    let (x0, x1) = (Self.left, Self.width - Self.right)
    let (y0, y1) = (top + Self.panelHeight - Self.bottom, top + Self.top)
    let (first, last) = (Double(epochs.first ?? 1), Double(epochs.last ?? 1))
    func x(_ epoch: Double) -> Double {
      last > first ? x0 + (epoch - first) / (last - first) * (x1 - x0) : (x0 + x1) / 2
    }
    func y(_ value: Double) -> Double { y0 + axis.share(of: value) * (y1 - y0) }

    var text =
      "<text x=\"\(Self.number(x0))\" y=\"\(Self.number(top + 22))\" font-size=\"14\" font-weight=\"600\" fill=\"#1d2329\">\(GraphDiagram.entities(panel.title))</text>\n"
    for tick in axis.ticks {
      let place = Self.number(y(tick.value))
      text +=
        "<line x1=\"\(Self.number(x0))\" y1=\"\(place)\" x2=\"\(Self.number(x1))\" y2=\"\(place)\" stroke=\"#e4e8ee\"/>\n"
      text +=
        "<text x=\"\(Self.number(x0 - 8))\" y=\"\(Self.number(y(tick.value) + 4))\" text-anchor=\"end\" fill=\"#5b6470\">\(tick.label)</text>\n"
    }
    for tick in ValueAxis([first, last], isLogarithmic: false).ticks
    where tick.value.rounded() == tick.value && tick.value >= first && tick.value <= last {
      let place = Self.number(x(tick.value))
      text +=
        "<line x1=\"\(place)\" y1=\"\(Self.number(y0))\" x2=\"\(place)\" y2=\"\(Self.number(y0 + 4))\" stroke=\"#98a2ae\"/>\n"
      text +=
        "<text x=\"\(place)\" y=\"\(Self.number(y0 + 18))\" text-anchor=\"middle\" fill=\"#5b6470\">\(Int(tick.value))</text>\n"
    }
    text +=
      "<line x1=\"\(Self.number(x0))\" y1=\"\(Self.number(y0))\" x2=\"\(Self.number(x1))\" y2=\"\(Self.number(y0))\" stroke=\"#98a2ae\"/>\n"
    text +=
      "<text x=\"\(Self.number((x0 + x1) / 2))\" y=\"\(Self.number(y0 + 35))\" text-anchor=\"middle\" fill=\"#5b6470\">epoch</text>\n"
    for (index, curve) in panel.curves.enumerated() {
      let points = zip(epochs, curve.values).compactMap { epoch, value -> String? in
        guard let value, value.isFinite else { return nil }
        return "\(Self.number(x(Double(epoch)))),\(Self.number(y(value)))"
      }
      text +=
        "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(curve.color)\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n"
      if points.count <= 40 {
        for point in points {
          let parts = point.split(separator: ",")
          text += "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"2.5\" fill=\"\(curve.color)\"/>\n"
        }
      }
      let legend = x1 - 190 + Double(index) * 100
      text +=
        "<line x1=\"\(Self.number(legend))\" y1=\"\(Self.number(top + 18))\" x2=\"\(Self.number(legend + 18))\" y2=\"\(Self.number(top + 18))\" stroke=\"\(curve.color)\" stroke-width=\"2\"/>\n"
      text +=
        "<text x=\"\(Self.number(legend + 24))\" y=\"\(Self.number(top + 22))\" fill=\"#3a424c\">\(curve.name)</text>\n"
    }
    return text
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }
}

/// An axis of values with marks at round numbers.
private struct ValueAxis {
  let low: Double
  let high: Double
  let isLogarithmic: Bool
  let ticks: [(value: Double, label: String)]

  init(_ values: [Double], isLogarithmic: Bool) {
    self.isLogarithmic = isLogarithmic
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if isLogarithmic {
      low = pow(10, floor(log10(low)))
      high = pow(10, ceil(log10(high)))
      (self.low, self.high) = (log10(low), log10(high))
      ticks = stride(from: self.low, through: self.high, by: 1).map {
        (pow(10, $0), ValueAxis.label(pow(10, $0), step: pow(10, $0)))
      }
      return
    }
    if high - low < 1e-12 * max(high.magnitude, 1) {
      low -= 0.5
      high += 0.5
    }
    let rough = (high - low) / 5
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    low = floor(low / step) * step
    high = ceil(high / step) * step
    (self.low, self.high) = (low, high)
    let count = Int(((high - low) / step).rounded())
    ticks = (0...max(count, 1)).map { (low + Double($0) * step, ValueAxis.label(low + Double($0) * step, step: step)) }
  }

  /// Where a value lies between the axis's ends, from 0 to 1.
  func share(of value: Double) -> Double { ((isLogarithmic ? log10(value) : value) - low) / (high - low) }

  /// A mark's number with as many decimals as the step between marks needs.
  private static func label(_ value: Double, step: Double) -> String {
    let decimals = max(0, -Int(floor(log10(step) + 1e-9)))
    guard decimals <= 6, value.magnitude < 1e7 else { return "\(value)" }
    let unit = pow(10, Double(decimals))
    let scaled = Int((value.magnitude * unit).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int(unit))
    return "\(sign)\(scaled / Int(unit))." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
