import Diagnostics
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Files

private func makePipe(_ path: FilePath) { #expect(unsafe mkfifo(path.description, 0o600) == 0) }
private func makeLink(_ path: FilePath, to target: String) { #expect(unsafe symlink(target, path.description) == 0) }
private func setMode(_ path: FilePath, _ mode: mode_t) { #expect(unsafe chmod(path.description, mode) == 0) }
private func shorten(_ path: FilePath, to size: Int) { #expect(unsafe truncate(path.description, size) == 0) }
private func onDisk(_ path: FilePath) throws -> FileStatus {
  try OperatingSystem().status(of: path, followingLinks: false)
}

private func failure(_ body: () throws -> Void) -> Failure? {
  do { try body() } catch { return error as? Failure }
  return nil
}

@Suite("Names of files")
struct FilePathTests {
  @Test("a path comes apart and together")
  func parts() {
    let path: FilePath = "models/digits.tar.YAML"
    #expect(path.folder == "models" && path.suffix == "yaml")
    #expect(String(decoding: path.stem, as: UTF8.self) == "digits.tar")
    #expect(path.sibling("w.npz") == "models/w.npz" && FilePath("a").sibling("b") == "b")
    #expect(FilePath("/a").folder == "/" && FilePath("a").folder == ".")
    #expect(FilePath("/a/b").relative(to: "/a") == "b" && FilePath("/ab").relative(to: "/a") == nil)
    #expect(FilePath("/a").relative(to: "/") == "a" && FilePath("/").appending("a") == "/a")
    #expect(FilePath(".hidden").suffix == "")
  }

  @Test("what a terminal should not see is shown escaped")
  func display() {
    #expect(FilePath("naïve 名.npy").description == "naïve 名.npy")
    #expect(FilePath(bytes: [0x61, 0xFF, 0xC3, 0x1B, 0x5B, 0x0A]).description == #"a\xff\xc3\x1b[\n"#)
    #expect(FilePath("\u{202E}a\u{85}").description == #"\u202ea\x85"#)
    #expect(FilePath("").description == "''")
  }
}

extension FilePathTests {
  @Test(
    "any name passes through text and back",
    arguments: [
      Array("a b".utf8), [0x61, 0xFF, 0x80, 0xC3], Array("\u{10FFFF}\u{10FF80}ä\u{10FF7F}".utf8), [0xF4, 0x8F], [],
    ])
  func text(_ bytes: [UInt8]) {
    #expect(FilePath(FilePath(bytes: bytes).text) == FilePath(bytes: bytes))
    if String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0xF4) {
      #expect(Array(FilePath(bytes: bytes).text.utf8) == bytes)
    }
  }
}

@Suite("Reading and writing files")
struct FileTests {
  @Test("what is no regular file is refused in words")
  func kinds() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.file("pipe")
    makePipe(pipe)
    for (path, words) in [
      (FilePath(folder.url.path), "is a folder"), (pipe, "is a pipe"), ("/dev/null", "a device"),
      (folder.file("none"), "no such file"), ("", "no such file"), ("a\0b", "invalid"),
      ("/dev/null/x", "not a folder"),
    ] {
      let refused = failure { _ = try readWholeFile(path, limit: 100) }
      #expect(refused?.kind == .cannotRead && refused?.message.contains(words) == true, "\(refused?.message ?? "")")
      #expect(failure { _ = try InputFile(path) }?.kind == .cannotRead)
    }
  }

  @Test("a file over the limit is refused, one at the limit is read, also one that tells no size")
  func limit() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("12345", to: "five")
    #expect(try readWholeFile(path, limit: 5) == Array("12345".utf8))
    #expect(failure { _ = try readWholeFile(path, limit: 4) }?.kind == .invalidData)
    #expect(try !readWholeFile("/proc/self/status", limit: 1 << 20).isEmpty)
    #expect(failure { _ = try readWholeFile("/proc/self/status", limit: 10) }?.kind == .invalidData)
  }

  @Test("a file that becomes shorter while it is read is an error, not a crash")
  func shrinking() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("0123456789", to: "data")
    let file = try InputFile(path)
    #expect(try file.read(at: 8, count: 2) == Array("89".utf8))
    shorten(path, to: 3)
    #expect(failure { _ = try file.read(at: 8, count: 2) }?.message.contains("became shorter") == true)
    #expect(failure { _ = try file.read(at: 8, count: 3) }?.message.contains("ends where more") == true)
  }

  @Test("results replace what was there only when they are whole; mode stays, links are followed")
  func output() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("old", to: "target")
    setMode(target, 0o640)
    makeLink(folder.file("link"), to: "target")
    let output = try OutputFile(folder.file("link"))
    try output.write("new")
    #expect(try folder.text("target") == "old")
    #expect(folder.names == ["link", "target"])
    try output.finish()
    #expect(try folder.text("target") == "new")
    #expect(folder.names == ["link", "target"])
    #expect(try onDisk(target).mode == 0o640)
    #expect(try onDisk(folder.file("link")).kind == .link)
  }

  @Test("a file that was begun and not finished leaves nothing")
  func unfinished() throws {
    let folder = try TemporaryFolder()
    do {
      let output = try OutputFile(folder.file("out"))
      try output.write([UInt8](repeating: 1, count: 1 << 20))
    }
    #expect(folder.names == [])
  }

  @Test("a new file does not replace what came meanwhile")
  func noReplace() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("out")
    let output = try OutputFile(path, replaces: false)
    try output.write("mine")
    try folder.write("theirs", to: "out")
    #expect(failure { try output.finish() }?.kind == .cannotCreate)
    #expect(try folder.text("out") == "theirs")
    #expect(failure { _ = try OutputFile(path, replaces: false) }?.kind == .cannotCreate)
    #expect(folder.names == ["out"])
    let other = try OutputFile(folder.file("other"), replaces: false)
    try other.finish()
    #expect(folder.names == ["other", "out"])
  }

  @Test("devices are written to straight, and a full one is an error")
  func devices() throws {
    let null = try OutputFile("/dev/null")
    try null.write("x")
    try null.finish()
    let full = try OutputFile("/dev/full")
    try full.write("x")
    #expect(failure { try full.finish() }?.kind == .inputOutput)
    #expect(failure { _ = try OutputFile("/nowhere/x") }?.kind == .cannotCreate)
    #expect(failure { _ = try OutputFile("/tmp") }?.message.contains("is a folder") == true)
  }

  @Test("a whole update on a real disk keeps the mode, follows links and leaves nothing beside")
  func transaction() throws {
    let folder = try TemporaryFolder()
    let model = try folder.write("old", to: "model.yaml")
    setMode(model, 0o444)
    let link = folder.file("link.yaml")
    makeLink(link, to: "model.yaml")
    let (_, status) = try readWholeFileWithStatus(link, limit: 100)
    let lock = try ModelLock(link)
    #expect(failure { _ = try ModelLock(model) }?.kind == .busy)
    let weights = folder.file("model.safetensors")
    try FileTransaction(model: link).commit(
      [
        FileChange(link, original: status, bytes: Array("new".utf8)),
        FileChange(weights, original: nil, bytes: [1, 2]),
      ],
      lock: lock)
    #expect(try folder.text("model.yaml") == "new")
    #expect(folder.names == ["link.yaml", "model.safetensors", "model.yaml"])
    #expect(failure { _ = try ModelLock(model) }?.kind == .busy)
    #expect(try onDisk(model).mode == 0o444)
    #expect(
      try FileTransaction.reading(link) { () throws(Failure) in try readWholeFile(link, limit: 9) } == Array("new".utf8)
    )
    withExtendedLifetime(lock) {}
  }
}

extension FileTests {
  @Test("what a killed writer left beside a result is cleared by the next one; a living one's file stays")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    let target = folder.file("r.npy")
    try folder.write("left", to: ".r.npy.nnrun-result-5f")
    // Others' files: another result's, an update's, a user's.
    for name in [".s.npy.nnrun-result-5f", ".r.npy.nnrun-5f", ".r.npy.nnrun-result-xyz"] {
      try folder.write("", to: name)
    }
    let alive = try folder.write("alive", to: ".r.npy.nnrun-result-7")
    let holder = try FileDescriptor(alive, .reading, OperatingSystem())
    #expect(try holder.lock())
    let output = try OutputFile(target)
    try output.finish(flushing: true)
    #expect(
      folder.names == [
        ".r.npy.nnrun-5f", ".r.npy.nnrun-result-7", ".r.npy.nnrun-result-xyz", ".s.npy.nnrun-result-5f", "r.npy",
      ])
    withExtendedLifetime(holder) {}
  }
}
