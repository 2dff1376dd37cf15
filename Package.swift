// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every Swift target: what the compiler can check is checked.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A module of the library; arrows point down only (docs/architecture.md has the table).
func module(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

/// The tests that face a module.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: fixtures,
    swiftSettings: strict)
}

let package = Package(
  name: "nnrun",
  products: [
    .library(name: "NNRun", targets: ["NNRun"]),
    .executable(name: "nnrun", targets: ["NNRunCLI"]),
    // The library for C; `make library` makes libnnrun.so of it.
    .library(name: "nnrun-c", type: .dynamic, targets: ["NNRunC"]),
  ],
  traits: [
    .trait(
      name: "MPI", description: "The same command on many machines: training and batch runs as ranks of an MPI job.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .systemLibrary(
      name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    // Nothing but the trait asks for it; `make` finds its headers, for not every MPI has a pkg-config file.
    .systemLibrary(name: "CMPI", providers: [.apt(["libmpich-dev"]), .brew(["mpich"])]),
    .target(name: "CSchemas"),
    .target(name: "CKernels"),
    .target(name: "CNNRun"),

    module("Memory"),
    module("Diagnostics"),
    module("YAML", ["Diagnostics", "Memory", "CLibYAML"]),
    module("Schema", ["Diagnostics", "YAML", "CSchemas"]),
    module("Files", ["Diagnostics", "Memory", "CZlib"]),
    module("Tensors", ["Files", "Diagnostics", "CZlib"]),
    module("Communication", ["Diagnostics", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
    module("Graph", ["Tensors"]),
    module("Layers", ["Graph", "YAML", "Diagnostics", "Tensors"]),
    module("ModelFile", ["YAML", "Schema", "Files", "Tensors", "Graph", "Layers", "Diagnostics"]),
    module("Kernels", ["CKernels", "Memory"]),
    module("Engine", ["Graph", "Tensors", "Kernels", "Communication", "Memory", "Diagnostics"]),
    module(
      "Training", ["Engine", "Kernels", "Communication", "ModelFile", "Graph", "Files", "Tensors", "Diagnostics"]),
    module("Interchange", ["ModelFile", "YAML", "Files", "Tensors", "Graph", "Diagnostics"]),
    module(
      "NNRun",
      [
        "ModelFile", "Engine", "Training", "Communication", "Interchange", "Graph", "Layers", "Schema", "YAML", "Files",
        "Tensors", "Diagnostics",
      ]),
    module("NNRunC", ["NNRun", "CNNRun", "ModelFile", "Graph", "Files", "Diagnostics"]),
    .executableTarget(
      name: "NNRunCLI",
      dependencies: [
        "NNRun", "Training", "Engine", "Communication", "Interchange", "ModelFile", "Diagnostics", "Files", "Tensors",
        "Schema", "YAML", "Memory",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "YAMLBenchmark", dependencies: ["YAML", "Diagnostics", "CLibYAML"], path: "Benchmarks/YAML",
      swiftSettings: strict),

    module(
      "FuzzTargets", ["Interchange", "ModelFile", "Graph", "Schema", "YAML", "Tensors", "Files", "Diagnostics"],
      path: "Tests/FuzzTargets"),
    tests("FuzzTargets", ["FuzzTargets"]),
    .target(
      name: "TestSupport", dependencies: ["Communication", "Diagnostics", "Files"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("Communication", ["TestSupport", "Communication", "Diagnostics"]),
    tests("Memory", ["Memory"]),
    tests("Diagnostics", ["Diagnostics"]),
    tests("YAML", ["TestSupport", "YAML", "Diagnostics"]),
    tests("Schema", ["TestSupport", "Schema", "YAML", "Diagnostics"]),
    tests("Files", ["TestSupport", "Files", "Diagnostics"]),
    tests("Tensors", ["TestSupport", "Tensors", "Files", "Diagnostics"], fixtures: ["Fixtures"]),
    tests("Graph", ["Graph", "Tensors"]),
    tests(
      "ModelFile", ["TestSupport", "ModelFile", "Layers", "Graph", "Schema", "YAML", "Files", "Tensors", "Diagnostics"]),
    tests("Kernels", ["Kernels"]),
    tests("Engine", ["Engine", "Graph", "Tensors"]),
    tests(
      "Interchange", ["TestSupport", "Interchange", "ModelFile", "YAML", "Files", "Tensors", "Graph", "Diagnostics"]),
    tests(
      "Training",
      [
        "TestSupport", "Training", "Communication", "Engine", "ModelFile", "Layers", "Graph", "Files", "Tensors",
        "YAML", "Diagnostics",
      ],
      fixtures: ["Fixtures"]),
    tests("NNRun", ["NNRun"]),
    tests("CLibrary", ["NNRunC"], fixtures: ["use_library.py"]),
    tests(
      "CommandLine",
      [
        "TestSupport", "NNRunCLI", "NNRun", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    tests(
      "Models",
      [
        "TestSupport", "NNRunCLI", "NNRun", "Interchange", "ModelFile", "Graph", "Layers", "YAML", "Files",
        "Tensors", "Diagnostics",
      ]),
  ]
)

// Only for `make fuzz` and `make sanitize`, which set this: they need the toolchain's sanitizers, and an ordinary build
// has no use for them.
if Context.environment["NNRUN_CHECKS"] != nil {
  package.targets += [
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Fuzz", swiftSettings: strict),
    .executableTarget(
      name: "AllFloats", dependencies: ["Tensors", "YAML"], path: "Tests/AllFloats", swiftSettings: strict),
    .executableTarget(
      name: "Stress", dependencies: ["Engine", "Graph", "Kernels", "Tensors"], path: "Tests/Stress",
      swiftSettings: strict),
  ]
}
