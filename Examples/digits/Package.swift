// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "digits",
  dependencies: [.package(name: "nnrun", path: "../..")],
  targets: [
    .executableTarget(
      name: "digits", dependencies: [.product(name: "NNRun", package: "nnrun")],
      swiftSettings: [
        .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ]
)
