#include "cli/completion.h"

#include <map>

#include "cli/cli.h"
#include "cli/terminal.h"

namespace bascule::cli {

namespace {

/// Verbs by noun, in order; a verb without a noun has none below it.
std::map<std::string, std::string> tree_of(const std::vector<std::string>& words) {
    std::map<std::string, std::string> tree;
    for (const std::string& word : words) {
        const auto blank = word.find(' ');
        std::string& verbs = tree[word.substr(0, blank)];
        if (blank != std::string::npos) {
            verbs += (verbs.empty() ? "" : " ") + word.substr(blank + 1);
        }
    }
    return tree;
}

std::string nouns_of(const std::map<std::string, std::string>& tree) {
    std::string nouns;
    for (const auto& [noun, verbs] : tree) {
        nouns += (nouns.empty() ? "" : " ") + noun;
    }
    return nouns;
}

std::string bash_script(const std::map<std::string, std::string>& tree) {
    std::string script =
        "_bascule() {\n    local words=\"" + nouns_of(tree) +
        "\"\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n        case \"${COMP_WORDS[1]}\" in\n";
    for (const auto& [noun, verbs] : tree) {
        if (!verbs.empty()) {
            script += "            " + noun + ") words=\"" + verbs + "\" ;;\n";
        }
    }
    return script +
           "            *) words=\"\" ;;\n        esac\n    elif [ \"$COMP_CWORD\" -gt 2 ]; then\n "
           "       words=\"\"\n    fi\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "    [ -n \"$COMPREPLY\" ] || COMPREPLY=($(compgen -f -- "
           "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -F _bascule bascule\n";
}

std::string fish_script(const std::map<std::string, std::string>& tree) {
    std::string script =
        "complete -c bascule -n __fish_use_subcommand -f -a '" + nouns_of(tree) + "'\n";
    for (const auto& [noun, verbs] : tree) {
        if (!verbs.empty()) {
            script += "complete -c bascule -n '__fish_seen_subcommand_from " + noun +
                      "; and not __fish_seen_subcommand_from " + verbs + "' -f -a '" + verbs +
                      "'\n";
        }
    }
    return script;
}

}  // namespace

std::string completion_script(const std::string& shell, const std::vector<std::string>& words) {
    const auto tree = tree_of(words);
    if (shell == "fish") {
        return fish_script(tree);
    }
    return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(tree)
                          : bash_script(tree);
}

int print_completion(const std::string& shell, const std::vector<std::string>& words) {
    print(completion_script(shell, words));
    return exit_yes;
}

}  // namespace bascule::cli
