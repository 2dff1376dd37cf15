import ArgumentParser

/// The script that completes `nnrun`'s words in a shell.
///
/// The parser's own scripts know nothing of a default subcommand; here its model files are offered beside the
/// subcommands, and its options behind a model.
func completionScript(for shell: CompletionShell) -> String {
  let script = Nnrun.completionScript(for: shell)
  return switch shell {
  case .bash:
    script.inserting(
      """
              if [[ "${cur}" = -* || ("${COMP_CWORD}" -gt 1 && "${COMP_WORDS[1]}" != -*) ]]; then
                  unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")
                  _nnrun_run
                  return
              fi
              __nnrun_add_completions -o plusdirs -fX '!*.@(yaml|yml)'

      """, before: "        # Offer subcommand completions\n")
  case .zsh:
    script
      .inserting(
        "        _files -g '*.yaml *.yml' && ret=0\n", behind: "        _describe -V subcommand subcommands && ret=0\n"
      )
      .inserting(
        """
                *)
                    words=(run "${words[@]}")
                    (( CURRENT++ ))
                    _nnrun_run && ret=0
                    ;;

        """, behind: "            \"_nnrun_${words[1]}\" && ret=0\n            ;;\n")
  case .fish: fishScript(script)
  default: script
  }
}

private func fishScript(_ script: String) -> String {
  var text = ""
  for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
    text += "\(line)\n"
    // What stands at the place of a subcommand and is none is a model to be run.
    if line.hasPrefix("        __nnrun_parse_subcommand 0 ") {
      text += """
                if test (count $unparsed_tokens) -gt 0; and string match -qr -- '\\.ya?ml$' $unparsed_tokens[1]
                    set -p unparsed_tokens run
                end

        """
    }
    let models = "'__nnrun_should_offer_completions_for_positional \"nnrun run\" -eq 1' -fa "
    if let range = line.firstRange(of: models) {
      let atFirst = models.replacing("nnrun run", with: "nnrun")
      text += "\(line[..<range.lowerBound])\(atFirst)\(line[range.upperBound...])\n"
    }
  }
  return text
}

extension String {
  fileprivate func inserting(_ text: String, before place: String) -> String {
    guard let range = firstRange(of: place) else { return self }
    return "\(self[..<range.lowerBound])\(text)\(self[range.lowerBound...])"
  }

  fileprivate func inserting(_ text: String, behind place: String) -> String {
    guard let range = firstRange(of: place) else { return self }
    return "\(self[..<range.upperBound])\(text)\(self[range.upperBound...])"
  }
}
