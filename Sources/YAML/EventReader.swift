private import CLibYAML

/// libyaml's event loop over bytes in memory: its structs, pointers and constants stop here.
///
/// Marks are counted in code points from the first byte given.
@safe struct EventReader: ~Copyable {
  /// What an event says.
  enum Kind {
    case scalar, alias
    case sequenceStart, sequenceEnd
    case mappingStart, mappingEnd
    case documentStart, documentEnd
    case streamStart, streamEnd
  }

  /// Why libyaml cannot go on.
  struct Problem: Error {
    /// libyaml's words for what it met.
    let problem: String
    /// libyaml's words for what it was doing.
    let context: String
    /// Where it met the problem, in code points.
    let index: Int
    /// Where that which it was reading began, in code points.
    let contextIndex: Int?
    /// The byte that cannot be text, counted from the first byte given, where that is the problem.
    let badByte: Int?
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let event: UnsafeMutablePointer<yaml_event_t>

  /// A reader of `bytes`, which must outlive it.
  @unsafe init(bytes: UnsafeBufferPointer<UInt8>) {
    unsafe parser = .allocate(capacity: 1)
    unsafe event = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    unsafe event.initialize(to: yaml_event_t())
    // A parser that could not be initialised (no memory) fails at its first event.
    guard unsafe yaml_parser_initialize(parser) == 1 else { return }
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_event_delete(event)
    unsafe yaml_parser_delete(parser)
    unsafe event.deallocate()
    unsafe parser.deallocate()
  }

  /// Goes to the next event.
  mutating func next() throws(Problem) -> Kind {
    unsafe yaml_event_delete(event)
    guard unsafe parser.pointee.read_handler != nil, unsafe yaml_parser_parse(parser, event) == 1 else {
      throw problem()
    }
    switch unsafe event.pointee.type {
    case YAML_SCALAR_EVENT: return .scalar
    case YAML_ALIAS_EVENT: return .alias
    case YAML_SEQUENCE_START_EVENT: return .sequenceStart
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT: return .mappingStart
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_STREAM_START_EVENT: return .streamStart
    default: return .streamEnd
    }
  }

  private func problem() -> Problem {
    let isReaderError = unsafe parser.pointee.error == YAML_READER_ERROR
    return unsafe Problem(
      problem: parser.pointee.problem.map { unsafe String(cString: $0) } ?? "out of memory",
      context: parser.pointee.context.map { unsafe String(cString: $0) } ?? "",
      index: Int(clamping: parser.pointee.problem_mark.index),
      contextIndex: parser.pointee.context == nil ? nil : Int(clamping: parser.pointee.context_mark.index),
      badByte: isReaderError ? Int(clamping: parser.pointee.problem_offset) : nil)
  }

  /// Where the event begins, its anchor and tag included, in code points.
  var startIndex: Int { unsafe Int(clamping: event.pointee.start_mark.index) }

  /// Where the event ends, in code points.
  var endIndex: Int { unsafe Int(clamping: event.pointee.end_mark.index) }

  /// Whether a scalar stands plain, without quotes and not as a block.
  var isPlain: Bool { unsafe event.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE }

  /// Whether a scalar stands in quotes.
  var isQuoted: Bool {
    let style = unsafe event.pointee.data.scalar.style
    return style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE
  }

  /// Whether a scalar has neither anchor nor tag.
  var isBareScalar: Bool {
    unsafe event.pointee.data.scalar.anchor == nil && event.pointee.data.scalar.tag == nil
  }

  /// The anchor that a scalar or collection defines, or the name of an alias.
  var anchor: String? {
    switch unsafe event.pointee.type {
    case YAML_SCALAR_EVENT: unsafe Self.string(event.pointee.data.scalar.anchor)
    case YAML_SEQUENCE_START_EVENT: unsafe Self.string(event.pointee.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT: unsafe Self.string(event.pointee.data.mapping_start.anchor)
    case YAML_ALIAS_EVENT: unsafe Self.string(event.pointee.data.alias.anchor)
    default: nil
    }
  }

  /// The tag of a scalar or collection, in full.
  var tag: String? {
    switch unsafe event.pointee.type {
    case YAML_SCALAR_EVENT: unsafe Self.string(event.pointee.data.scalar.tag)
    case YAML_SEQUENCE_START_EVENT: unsafe Self.string(event.pointee.data.sequence_start.tag)
    case YAML_MAPPING_START_EVENT: unsafe Self.string(event.pointee.data.mapping_start.tag)
    default: nil
    }
  }

  /// A scalar's text as a string.
  var text: String {
    unsafe String(
      decoding: UnsafeBufferPointer(
        start: event.pointee.data.scalar.value, count: event.pointee.data.scalar.length), as: UTF8.self)
  }

  /// A scalar's number, if all of its text is one.
  func number() -> LexedNumber? {
    let bytes = unsafe UnsafeBufferPointer<UInt8>(
      start: event.pointee.data.scalar.value, count: event.pointee.data.scalar.length)
    return unsafe NumberLexer.lex(bytes.span)
  }

  private static func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let pointer = unsafe pointer else { return nil }
    return unsafe String(cString: pointer)
  }
}
