/// The version of the library and of the program.
public let libraryVersion = "0.1.0"
