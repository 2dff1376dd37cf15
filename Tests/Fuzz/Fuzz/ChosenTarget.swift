import FuzzTargets

// A file of its own: a program of one file would get a `main` beside libFuzzer's.

/// What the words of the command line chose, once, before the first input.
enum ChosenTarget {
  nonisolated(unsafe) static var target = FuzzTarget.yaml
}
