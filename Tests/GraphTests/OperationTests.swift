import Graph
import Tensors
import Testing

@Suite("Operations, by hand")
struct OperationTests {
  @Test("a convolution with padding 1 and stride 2 gives the notebook's numbers")
  func notebookConvolution() throws {
    let window = Window(kernel: [2, 2], stride: [2, 2], padding: .explicit(top: 1, left: 1, bottom: 1, right: 1))
    let y = try results(Convolution(window: window), counting(1, 1, 4, 4), tensor([1, 1, 2, 2], [1, 0, -1, 1]))
    #expect(y == [tensor([1, 1, 3, 3], [1, 1, -4, 9, 7, -4, 0, 14, 16])])
  }

  @Test("a convolution over an image that is not square reads rows as rows")
  func convolutionNotSquare() throws {
    let y = try results(
      Convolution(window: Window(kernel: [1, 2])), counting(1, 1, 2, 3), tensor([1, 1, 1, 2], [10, 1]))
    #expect(y == [tensor([1, 1, 2, 2], [12, 23, 45, 56])])
  }

  @Test("a convolution sums over its channels; dilation skips cells")
  func convolutionChannels() throws {
    let window = Window(kernel: [1, 2], dilation: [1, 2])
    let y = try results(Convolution(window: window), counting(1, 2, 1, 3), tensor([1, 2, 1, 2], [1, 10, 100, 1000]))
    // 1 + 10 * 3 + 100 * 4 + 1000 * 6
    #expect(y == [tensor([1, 1, 1, 1], [6431])])
  }

  @Test("groups see their own channels only: as many convolutions side by side")
  func convolutionGroups() throws {
    var numbers = Numbers(seed: 1)
    let x = numbers.spread([2, 4, 5, 3])
    let weight = numbers.spread([6, 2, 3, 2])
    let window = Window(kernel: [3, 2], padding: .same)
    let whole = try results(Convolution(window: window, groups: 2), x, weight)[0]
    var halves: [Tensor<Double>] = []
    for group in 0..<2 {
      let channels = try results(ChannelSlice(first: 2 * group, count: 2), x)[0]
      let filters = Tensor(shape: [3, 2, 3, 2], elements: Array(weight.elements[group * 36..<group * 36 + 36]))
      halves += try results(Convolution(window: window), channels, filters)
    }
    #expect(whole == Concatenate().evaluate(halves)[0])
  }

  @Test("`same` keeps ceil(size / stride), and puts the odd row of padding at the end", arguments: 1...9)
  func samePadding(size: Int) throws {
    for kernel in 1...4 {
      for stride in 1...3 {
        let window = Window(kernel: [kernel, 1], stride: [stride, 1], padding: .same)
        #expect(try window.outputSize(.height, input: .fixed(size)) == .fixed((size + stride - 1) / stride))
        let (before, after) = (
          window.leadingPadding(.height, input: size), window.trailingPadding(.height, input: size)
        )
        #expect(after - before == 0 || after - before == 1)
      }
    }
  }

  @Test("the largest and the mean number under a window")
  func pooling() throws {
    let x = counting(1, 1, 3, 3)
    let window = Window(kernel: [2, 2], stride: [2, 2], padding: .explicit(top: 1, left: 1, bottom: 0, right: 0))
    #expect(try results(MaxPool(window: window), x) == [tensor([1, 1, 2, 2], [1, 3, 7, 9])])
    #expect(try results(AveragePool(window: window), x) == [tensor([1, 1, 2, 2], [1, 2.5, 5.5, 7])])
    #expect(
      try results(AveragePool(window: window, countsPadding: true), x)
        == [tensor([1, 1, 2, 2], [0.25, 1.25, 2.75, 7])])
  }

  @Test("padding never wins a maximum, and NaN always does")
  func maximumOfNegatives() throws {
    let window = Window(kernel: [2, 2], padding: .explicit(top: 1, left: 1, bottom: 0, right: 0))
    #expect(try results(MaxPool(window: window), tensor([1, 1, 1, 1], [-3]))[0].elements == [-3])
    let withNaN = try results(MaxPool(window: Window(kernel: [1, 3])), tensor([1, 1, 1, 3], [1, .nan, 2]))
    #expect(withNaN[0].elements[0].isNaN)
  }

  @Test("of equal numbers the first in row-major order takes a maximum's gradient")
  func maximumTie() throws {
    let x = tensor([1, 1, 2, 2], [1, 2, 2, 2])
    let gradient = try results(MaxPoolGradient(window: Window(kernel: [2, 2])), tensor([1, 1, 1, 1], [5]), x)
    #expect(gradient == [tensor([1, 1, 2, 2], [0, 5, 0, 0])])
    let lowest = tensor([1, 1, 1, 2], [-.infinity, -.infinity])
    #expect(
      try results(MaxPoolGradient(window: Window(kernel: [1, 2])), tensor([1, 1, 1, 1], [5]), lowest)[0].elements
        == [5, 0])
  }

  @Test("batch normalisation with the batch's statistics gives the notebook's numbers")
  func notebookBatchNormalisation() throws {
    // numpy seed 42, randn(2, 2, 2, 2).
    let x = tensor(
      [2, 2, 2, 2],
      [
        0.4967141530112327, -0.13826430117118466, 0.6476885381006925, 1.5230298564080254, -0.23415337472333597,
        -0.23413695694918055, 1.5792128155073915, 0.7674347291529088, -0.4694743859349521, 0.5425600435859647,
        -0.46341769281246226, -0.46572975357025687, 0.24196227156603412, -1.913280244657798, -1.7249178325130328,
        -0.5622875292409727,
      ])
    let published = [
      0.42859934, -0.51776438, 0.65360963, 1.95820707, 0.02353721, 0.02355215, 1.67355207, 0.93490043, -1.01139563,
      0.49692747, -1.00236882, -1.00581468, 0.45676349, -1.50433085, -1.33293647, -0.27503802,
    ]
    let y = try results(BatchStatisticsNormalization(epsilon: 1e-5), x, tensor([2], [1, 1]), tensor([2], [0, 0]))
    #expect(distance(y[0], tensor([2, 2, 2, 2], published)) < 1e-8)
  }

  @Test("batch normalisation with given statistics, and with its batch's")
  func batchNormalisation() throws {
    let x = tensor([2, 1], [1, 5])
    #expect(
      try results(
        BatchNormalization(epsilon: 0), x, tensor([1], [3]), tensor([1], [10]), tensor([1], [1]), tensor([1], [4]))
        == [tensor([2, 1], [10, 16])])
    #expect(
      try results(BatchStatisticsNormalization(epsilon: 0), x, tensor([1], [3]), tensor([1], [10]))
        == [tensor([2, 1], [7, 13]), tensor([1], [3]), tensor([1], [4])])
  }

  @Test("matrix products, each side as it is or transposed")
  func matrixProducts() throws {
    let (a, b) = (counting(2, 3), counting(3, 2))
    let product = tensor([2, 2], [22, 28, 49, 64])
    #expect(try results(MatrixProduct(), a, b) == [product])
    let (aT, bT) = (try results(Transpose([1, 0]), a)[0], try results(Transpose([1, 0]), b)[0])
    #expect(try results(MatrixProduct(transposesLeft: true), aT, b) == [product])
    #expect(try results(MatrixProduct(transposesRight: true), a, bT) == [product])
    #expect(try results(MatrixProduct(transposesLeft: true, transposesRight: true), aT, bT) == [product])
  }

  @Test("rectifier, sigmoid, hyperbolic tangent and softmax at points that are known")
  func elementwise() throws {
    #expect(try results(Relu(), tensor([2, 2], [-1, 2, 3, -4]))[0].elements == [0, 2, 3, 0])
    #expect(try results(Relu(), tensor([1], [.nan]))[0].elements[0].isNaN)
    #expect(try results(Sigmoid(), tensor([3], [0, 1e4, -1e4]))[0].elements == [0.5, 1, 0])
    #expect(try results(Tanh(), tensor([3], [0, 1e4, -1e4]))[0].elements == [0, 1, -1])
    #expect(try results(Softmax(axis: 1), tensor([2, 2], [7, 7, 1e4, -1e4]))[0].elements == [0.5, 0.5, 1, 0])
    let columns = try results(Softmax(axis: 0), tensor([2, 2], [0, 1e4, 0, -1e4]))[0]
    #expect(columns.elements == [0.5, 1, 0.5, 0])
  }

  @Test("the mean over an image gives the notebook's numbers")
  func spatialMean() throws {
    let x = try results(Transpose.channelsFirst, counting(1, 2, 2, 3))[0]
    #expect(try results(SpatialMean(), x) == [tensor([1, 3], [5.5, 6.5, 7.5])])
  }

  @Test("values laid side by side come apart again")
  func concatenation() throws {
    let (a, b) = (counting(2, 1, 1, 2), counting(2, 2, 1, 2))
    let both = try results(Concatenate(), a, b)[0]
    #expect(both == tensor([2, 3, 1, 2], [1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 7, 8]))
    #expect(try results(ChannelSlice(first: 0, count: 1), both)[0] == a)
    #expect(try results(ChannelSlice(first: 1, count: 2), both)[0] == b)
  }

  @Test("flattening keeps the order, and is undone; transposing is undone by its inverse")
  func reshaping() throws {
    let x = counting(2, 3, 1, 2)
    let flat = try results(Flatten(), x)[0]
    #expect(flat == counting(2, 6))
    #expect(try results(Unflatten(sizes: [3, 1, 2]), flat)[0] == x)
    let moved = try results(Transpose.channelsLast, x)[0]
    #expect(moved.shape == [2, 1, 2, 3] && moved.elements[..<6] == [1, 3, 5, 2, 4, 6])
    #expect(try results(Transpose.channelsFirst, moved)[0] == x)
  }

  @Test("a bias and its gradient; a product with a mask")
  func bias() throws {
    #expect(
      try results(Bias(), counting(1, 2, 1, 2), tensor([2], [10, 20])) == [tensor([1, 2, 1, 2], [11, 12, 23, 24])])
    #expect(try results(ChannelSum(), counting(2, 2, 1, 2)) == [tensor([2], [1 + 2 + 5 + 6, 3 + 4 + 7 + 8])])
    #expect(try results(Multiply(), counting(1, 3), tensor([1, 3], [0, 2, 2])) == [tensor([1, 3], [0, 4, 6])])
    #expect(try results(Add(), counting(2), counting(2), counting(2)) == [tensor([2], [3, 6])])
  }
}

@Suite("Losses, by hand")
struct LossTests {
  @Test("mean squared error")
  func meanSquaredError() throws {
    let (y, t) = (tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [0, 2, 5, 1]))
    #expect(try results(MeanSquaredError(), y, t) == [tensor([], [(1 + 0 + 4 + 9) / 4.0])])
    #expect(try results(MeanSquaredErrorGradient(), y, t) == [tensor([2, 2], [0.5, 0, -1, 1.5])])
  }

  @Test("binary cross-entropy is the logarithm of the sigmoid's share")
  func binaryCrossEntropy() throws {
    for z in [-3.0, -0.1, 0, 0.7, 4] {
      let s = Sigmoid().evaluate([tensor([1], [z])])[0].elements[0]
      for t in [0, 0.25, 1] {
        let expected = -(t == 0 ? 0 : t * Double.logarithm(s)) - (t == 1 ? 0 : (1 - t) * Double.logarithm(1 - s))
        #expect(
          abs(try results(BinaryCrossEntropy(), tensor([1], [z]), tensor([1], [t]))[0].elements[0] - expected) < 1e-15)
      }
    }
  }

  @Test("cross-entropy of even scores is the logarithm of their number")
  func crossEntropy() throws {
    let even = try results(CrossEntropy(), tensor([1, 4], [3, 3, 3, 3]), tensor([1, 4], [0, 1, 0, 0]))[0]
    #expect(abs(even.elements[0] - Double.logarithm(4)) < 1e-15)
    let gradient = try results(
      CrossEntropyGradient(), tensor([2, 2], [0, 0, 5, 5]), tensor([2, 2], [1, 0, 0.5, 0.5]))[0]
    #expect(gradient.elements == [-0.25, 0.25, 0, 0])
  }

  @Test("scores of ten thousand give no NaN, in single precision too")
  func extremes() {
    let z = Tensor<Float>(shape: [2, 2], elements: [1e4, -1e4, -1e4, 1e4])
    let t = Tensor<Float>(shape: [2, 2], elements: [0, 1, 0, 1])
    #expect(BinaryCrossEntropy().evaluate([z, t])[0].elements == [5000])
    #expect(BinaryCrossEntropyGradient().evaluate([z, t])[0].elements == [0.25, -0.25, 0, 0])
    #expect(CrossEntropy().evaluate([z, t])[0].elements == [10000])
    #expect(CrossEntropyGradient().evaluate([z, t])[0].elements == [0.5, -0.5, 0, 0])
  }

  @Test("an output and a target of other shapes do not go together")
  func shapes() {
    #expect(throws: ShapeError.self) { try MeanSquaredError().outputShapes([[.fixed(1)], [.fixed(2)]]) }
    #expect(throws: ShapeError.self) { try CrossEntropy().outputShapes([[.fixed(1), .fixed(2)], [.fixed(1)]]) }
  }
}
