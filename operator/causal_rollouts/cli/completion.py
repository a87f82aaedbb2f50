"""`completion SHELL`: the script that lets a shell ask this program what may come next."""

from __future__ import annotations

import argparse

from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.printing import say

BASH = r"""# source <(causal-rollouts completion bash)
_causal_rollouts() {
    local lines=() line directive current="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=()
    mapfile -t lines < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    [[ ${#lines[@]} -gt 0 ]] || return 0
    directive=${lines[-1]}
    for line in "${lines[@]:0:${#lines[@]}-1}"; do
        line=${line%%$'\t'*}
        # Bash splits at "=", so only what follows it is written.
        COMPREPLY+=("${line#--*=}")
    done
    if [[ $directive == :0 ]]; then
        [[ $current == "=" ]] && current=
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
    return 0
}
complete -F _causal_rollouts causal-rollouts kubectl-causal_rollout"""

ZSH = r"""#compdef causal-rollouts kubectl-causal_rollout
# source <(causal-rollouts completion zsh), after compinit
_causal_rollouts() {
    local -a lines shown
    local line directive
    lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    directive=${lines[-1]}
    lines=("${(@)lines[1,-2]}")
    for line in "${lines[@]}"; do
        [[ -n $line ]] || continue
        if [[ $line == *$'\t'* ]]; then
            shown+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        else
            shown+=("${line//:/\\:}")
        fi
    done
    (( ${#shown} )) && _describe 'causal-rollouts' shown
    [[ $directive == :0 ]] && _files
    return 0
}
compdef _causal_rollouts causal-rollouts kubectl-causal_rollout"""

FISH = r"""# causal-rollouts completion fish | source
function __causal_rollouts_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines (command $words[1] __complete $words[2..-1] "$last" 2>/dev/null)
    test (count $lines) -gt 0; or return
    if test (count $lines) -gt 1
        printf '%s\n' $lines[1..-2]
    end
    if test "$lines[-1]" = ":0"
        __fish_complete_path "$last"
    end
end
for program in causal-rollouts kubectl-causal_rollout
    complete -c $program -f -a '(__causal_rollouts_complete)'
end"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


async def run(asked: argparse.Namespace, _: object) -> Exit:
    """Print it."""
    say(SCRIPTS[asked.shell])
    return Exit.OK
