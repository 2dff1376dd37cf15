import Diagnostics
import Foundation
import ModelFile
import Testing

/// A text in its canonical layout, and again, which must change nothing.
private func formatted(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
  func once(_ text: String) throws -> String {
    String(decoding: try CanonicalLayout.of(SourceText(name: "m.yaml", bytes: Array(text.utf8))), as: UTF8.self)
  }
  let result = try once(text)
  #expect(try once(result) == result, "a second time it comes out otherwise", sourceLocation: sourceLocation)
  return result
}

@Suite("The canonical layout")
struct CanonicalLayoutTests {
  @Test("keys stand in the schema's order, with the author's own behind the key that they stood behind")
  func keyOrder() throws {
    #expect(
      try formatted(
        """
        layers:
        - {x-why: first, type: conv2d, bias: false, x-note: none, name: c, kernel: 3, filters: 2, input: a}
        - type: dense
          units: 1
          name: out
        training: {epochs: 2, optimizer: {momentum: 0.9, type: sgd}, loss: mse}
        x-mine: {b: 1, a: 2}
        inputs: {b: {shape: [N, 2]}, a: {description: image, shape: [N, 1, 4, 4]}}
        nnrun: 1
        """) == """
          nnrun: 1
          inputs: {b: {shape: [N, 2]}, a: {shape: [N, 1, 4, 4], description: image}}
          layers:
            - {x-why: first, name: c, type: conv2d, input: a, filters: 2, kernel: 3, bias: false, x-note: none}
            - {name: out, type: dense, units: 1}
          training: {loss: mse, optimizer: {type: sgd, momentum: 0.9}, epochs: 2}
          x-mine: {b: 1, a: 2}

          """)
  }

  @Test(
    "a layer that fits a line gets one, unless its author gave its numbers lines of their own; one that does not, none")
  func lines() throws {
    let long = String(repeating: "0.125, ", count: 16) + "1"
    #expect(
      try formatted(
        """
        nnrun: 1
        inputs:
            x:
                shape:
                - N
                - 2
        layers: [{name: a, type: relu}, {name: b, type: dense, units: 1, description: "\(long)", activation: tanh},
          {name: c, type: dense,
           weight: [[1, 2],
             [3, 4]], bias: [0,
             0]}]
        """) == """
          nnrun: 1
          inputs:
            x: {shape: [N, 2]}
          layers:
            - {name: a, type: relu}
            - name: b
              type: dense
              description: "\(long)"
              units: 1
              activation: tanh
            - name: c
              type: dense
              weight: [[1, 2],
                       [3, 4]]
              bias: [0, 0]

          """)
  }

  @Test("matrices that do not fit a line have a row on each, and neighbours look alike")
  func matrices() throws {
    let row = "[" + (0..<12).map { "1.250\($0 % 10)" }.joined(separator: ", ") + "]"
    let text = try formatted(
      "nnrun: 1\nx-a: [[\(row), \(row)], [\(row),\n\(row)]]\nx-b: [\((0..<50).map(String.init).joined(separator: ", "))]\n"
    )
    #expect(
      text == """
        nnrun: 1
        x-a: [[\(row),
               \(row)],
              [\(row),
               \(row)]]
        x-b: [\((0..<31).map(String.init).joined(separator: ", ")),
              \((31..<50).map(String.init).joined(separator: ", "))]

        """)
  }

  @Test("comments stay with what they belong to, and keep their column")
  func comments() throws {
    #expect(
      try formatted(
        """
        # head

        # of the model
        layers:      # all of them
        # the first
        -   # odd
          # inside
          type: dense # its type
          name: a          # its name
          weight: [[1, 2],   # row one
            [3, 4]   # row two
            ]
          bias: [   # none
            0, 0]
          # the end of a
        - {name: b, type: relu}       # behind b
        # the end of the list
        # the version
        nnrun: 1 # one
        # the end
        """) == """
          # the end of the list
          # the version
          nnrun: 1  # one
          # head

          # of the model
          layers:      # all of them
            # the first
            -   # odd
              name: a          # its name
              # inside
              type: dense  # its type
              weight: [[1, 2],   # row one
                       [3, 4]   # row two
                      ]
              # none
              bias: [0, 0]
              # the end of a
            - {name: b, type: relu}       # behind b
          # the end

          """)
  }

  @Test("anchors, aliases, merge keys, tags and scalars of every style stay as they are written")
  func syntax() throws {
    let text = """
      %YAML 1.2
      ---
      nnrun: 1
      name: 'it''s'
      description: >-
        folded text,
          and deeper
      x-keep: |+
        two

      inputs:
        x: &rows {shape: [N, !!int "2"]}
      layers:
        - &first
          name: a
          type: dense
          weight: !!binary |
            AACAPwAAAEA=
          bias: [0x10]
        - {<<: *first, name: b, bias: [1e-3]}
      ...

      """
    #expect(try formatted(text) == text)
    #expect(
      try formatted(
        "\u{FEFF}nnrun:   1\r\nx-a:    \"one\r\n     two \\\r\n   three\"\r\nx-b:   plain\r\n      more\r\n")
        == "\u{FEFF}nnrun: 1\r\nx-a: \"one\r\n  two \\\r\n  three\"\r\nx-b: plain\r\n  more\r\n")
  }

  @Test("an alias is never moved before its anchor")
  func anchorOrder() throws {
    let text = """
      nnrun: 1
      training: {epochs: &n 2}
      tests:
        - counts: {parameters: *n}
      inputs:
        x: {shape: [N, *n]}

      """
    #expect(try formatted(text) == text)
  }

  @Test("a plain scalar that brackets would break is not put into them")
  func flowSafety() throws {
    let text = """
      nnrun: 1
      inputs:
        x:
          shape: [N, 2]
          description: red, green and blue
      layers:
        - name: a
          type: relu
          description: "time: now"
        - name: b
          type: relu
          description: a [list] {of} things

      """
    #expect(
      try formatted(text)
        == text.replacingOccurrences(
          of: "  - name: a\n    type: relu\n    description: \"time: now\"",
          with: "  - {name: a, type: relu, description: \"time: now\"}"))
  }

  @Test("a key without a value stays one")
  func nothing() throws {
    #expect(
      try formatted("nnrun: 1\nx-a:\nx-b: {a, b: , c: 1}\nx-c:\n- \n- 1\n") == """
        nnrun: 1
        x-a:
        x-b: {a, b, c: 1}
        x-c:
          -
          - 1

        """)
  }

  @Test("a file of JSON stays one")
  func json() throws {
    #expect(
      try formatted(
        "{\"layers\": [{\"type\": \"relu\", \"name\": \"a\"},{\"name\":\"b\",\"type\":\"relu\"}],\n\"nnrun\":1}")
          == """
          {
            "nnrun": 1,
            "layers": [
              {"name": "a", "type": "relu"},
              {"name": "b", "type": "relu"}
            ]
          }

          """)
  }

  @Test("empty lines set off the parts of a file that has any, and groups of entries; never two of them")
  func emptyLines() throws {
    #expect(
      try formatted(
        """


        nnrun: 1

        name: a
        inputs: {x: {shape: [N, 2]}}
        layers:

          - {name: a, type: relu}


          - {name: b, type: relu}



        training: {}
        """) == """
          nnrun: 1
          name: a

          inputs: {x: {shape: [N, 2]}}

          layers:
            - {name: a, type: relu}

            - {name: b, type: relu}

          training: {}

          """)
  }

  @Test(
    "a text with errors, or that is no model, is refused with its diagnostics",
    arguments: ["nnrun: 1\nlayers: [", "a: 1\n", "", "nnrun: 1\nnnrun: 1\n", "nnrun: 2\nlayers: []\n", "- nnrun\n"])
  func errors(text: String) throws {
    do throws(Failure) {
      _ = try CanonicalLayout.of(SourceText(name: "m.yaml", bytes: Array(text.utf8)))
      Issue.record("no error")
    } catch {
      #expect(error.kind == .invalidData)
      #expect(!error.diagnostics.isEmpty)
    }
  }
}
