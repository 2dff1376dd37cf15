import Kernels

/// Chooses how a convolution is computed, by an estimate of the time that each way takes.
///
/// The constants are nanoseconds measured on an AVX2 processor with about 50 multiply-adds a nanosecond; only their
/// ratios matter for the choice.
struct ConvolutionChoice {
  /// Threads that will share the work.
  let threads: Int

  private static let multiplyAddsPerNanosecond = 47.0
  /// From the memory behind the caches, where large weights lie.
  private static let bytesPerNanosecond = 15.0
  /// For a number of packed weights: to pack it, and to write it to memory that the process has not had yet.
  private static let packingNanoseconds = 0.4
  private static let newMemoryNanoseconds = 1.5
  /// What of a core's second-level cache a task's input may fill, in floats.
  private static let cacheFloats = 64 * 1024

  /// The method with the least estimated time.
  func method(for shape: ConvolutionShape) -> ConvolutionMethod {
    candidates(shape).min { $0.cost < $1.cost }?.method ?? direct(shape).method
  }

  /// The estimated nanoseconds of the best method on one thread.
  func cost(of shape: ConvolutionShape) -> Double {
    candidates(shape).map(\.cost).min() ?? 0
  }

  /// For a convolution that runs once: the panels of a task of a direct one that packs its weights in passing; nil where
  /// packing them beforehand for another method takes less time in all.
  func panelsOnce(for shape: ConvolutionShape) -> Int? {
    let taps = shape.kernel[0] * shape.kernel[1]
    let weights = Double(shape.filters * (shape.channels / shape.groups) * taps)
    let passing = direct(shape).cost + weights * Double(shape.batch) * Self.packingNanoseconds
    let beforehand = candidates(shape).map { method, cost in
      let positions =
        switch method.algorithm {
        case .direct: taps
        case .winograd2: 16
        case .winograd4: 36
        }
      return cost + weights / Double(taps) * Double(positions) * (Self.packingNanoseconds + Self.newMemoryNanoseconds)
    }
    guard let best = beforehand.min(), passing <= best else { return nil }
    let panels = (ConvolutionShape.blocks(shape.filters / shape.groups) + 1) / 2
    return evenly(panels, most: panels, pieces: threads > 1 ? threads * 2 : 1)
  }

  /// The best cut of a direct convolution.
  func directMethod(for shape: ConvolutionShape) -> ConvolutionMethod { direct(shape).method }

  private func candidates(_ shape: ConvolutionShape) -> [(method: ConvolutionMethod, cost: Double)] {
    var candidates = [direct(shape)]
    let isPlain3x3 = shape.kernel == [3, 3] && shape.stride == [1, 1] && shape.dilation == [1, 1]
    if isPlain3x3, shape.channels / shape.groups >= 8, shape.filters / shape.groups >= 8 {
      candidates.append(winograd(shape, size: 4))
      candidates.append(winograd(shape, size: 2))
    }
    return candidates
  }

  private func rounded(_ channels: Int) -> Int { ConvolutionShape.blocks(channels) * 8 }

  /// The least number of pieces of at most `most` that `count` is cut into, evenly, and at least `pieces` of them.
  private func evenly(_ count: Int, most: Int, pieces: Int = 1) -> Int {
    let number = max((count + most - 1) / max(most, 1), min(pieces, count), 1)
    return (count + number - 1) / number
  }

  private func direct(_ shape: ConvolutionShape) -> (method: ConvolutionMethod, cost: Double) {
    let taps = shape.kernel[0] * shape.kernel[1]
    let inner = rounded(shape.channels / shape.groups) * taps
    let pixels = shape.output[0] * shape.output[1]
    let panels = (ConvolutionShape.blocks(shape.filters / shape.groups) + 1) / 2
    // A strip's input stays in the cache while all panels of weights pass over it.
    let perPixel = inner * shape.stride[0] * shape.stride[1] / taps
    let chunk = max(perPixel * min(1, 384 / max(inner, 1)), min(perPixel, 384))
    var strip = evenly(pixels, most: min(max(Self.cacheFloats / max(chunk, 1), 48), 2048))
    var panelsPerTask = panels
    if threads > 1 {
      // As many tasks for each thread: strips no shorter than they would be for one, the panels shared where strips are few.
      let images = shape.batch * shape.groups
      let strips = (pixels + strip - 1) / strip
      if images % threads != 0, images * strips >= threads * 3 {
        strip = evenly(pixels, most: max(strip, 24), pieces: (strips + threads - 1) / threads * threads)
      } else if images * strips % threads != 0 {
        panelsPerTask = evenly(panels, most: panels, pieces: threads)
        if panels < threads { strip = max(24, evenly(pixels, most: strip, pieces: threads)) }
      }
    }
    let work =
      Double(shape.batch * shape.groups * pixels) * Double(inner) * Double(rounded(shape.filters / shape.groups))
    let weights = Double(shape.groups * inner * rounded(shape.filters / shape.groups)) * 4
    let cost =
      work / (Self.multiplyAddsPerNanosecond * 0.92) + weights / Self.bytesPerNanosecond * 0.6
    return (ConvolutionMethod(.direct, strip: strip, panels: panelsPerTask), cost)
  }

  private func winograd(_ shape: ConvolutionShape, size: Int) -> (method: ConvolutionMethod, cost: Double) {
    let tiles = shape.batch * ((shape.output[0] + size - 1) / size) * ((shape.output[1] + size - 1) / size)
    let positions = (size + 2) * (size + 2)
    let channels = rounded(shape.channels / shape.groups)
    let filters = rounded(shape.filters / shape.groups)
    let panels = (filters + 15) / 16
    let weightBytes = Double(positions * channels * filters * 4)
    // Few tiles, so that most of what is transformed stays in the second-level cache; more would only save reading the
    // weights again, which are fetched ahead.
    let most = max(18, min(Self.cacheFloats / (positions * (channels + filters)), 28))
    var strip = evenly(tiles, most: most)
    var panelsPerTask = panels
    if threads > 1 {
      let share = (tiles + threads - 1) / threads
      if tiles * shape.groups > threads * 26 {
        // As many tasks for each thread.
        let rounds = (tiles + most * threads - 1) / (most * threads)
        strip = evenly(tiles, most: tiles, pieces: rounds * threads)
      } else if weightBytes < 300_000, share >= 8 {
        strip = evenly(share, most: share, pieces: 2)
      } else if share >= 12 {
        strip = share
      } else if shape.groups % threads != 0 {
        panelsPerTask = evenly(panels, most: panels, pieces: threads)
      }
    }
    let products = Double(tiles * positions) * Double(channels) * Double(filters) * Double(shape.groups)
    let transforms =
      Double(tiles * shape.groups) * Double(channels / 8 + filters / 8) * (size == 4 ? 45 : 18)
    let strips = Double((tiles + strip - 1) / strip * shape.groups)
    let streaming = weightBytes * strips / (weightBytes > 12e6 ? Self.bytesPerNanosecond : 40)
    let cost = products / (Self.multiplyAddsPerNanosecond * 0.85) + transforms + streaming * 0.7
    return (ConvolutionMethod(size == 4 ? .winograd4 : .winograd2, strip: strip, panels: panelsPerTask), cost)
  }
}
