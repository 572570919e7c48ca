# Completion of `git cto` and `git-cto` for bash.
#
# Source this file after git's own completion. Git's calls _git_cto for `git cto`; the same function
# serves the program under its own name. The words are asked of git-cto itself, so they are always
# those of the installed version and its plugins.

_git_cto_candidates() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case "$line" in
            plain,*) COMPREPLY+=("${line#plain,}") ;;
            file,*) compopt -o default 2>/dev/null ;;
            dir,*) compopt -o dirnames 2>/dev/null ;;
        esac
    done < <(COMP_WORDS="$1" COMP_CWORD="$2" _GIT_CTO_COMPLETE=bash_complete git-cto 2>/dev/null)
}

_git_cto() {
    local at=0
    while [ "$at" -lt "$COMP_CWORD" ] && [ "${COMP_WORDS[$at]}" != cto ]; do
        at=$((at + 1))
    done
    _git_cto_candidates "git-cto ${COMP_WORDS[*]:$((at + 1))}" "$((COMP_CWORD - at))"
}

_git_cto_program() {
    _git_cto_candidates "${COMP_WORDS[*]}" "$COMP_CWORD"
}

complete -F _git_cto_program git-cto
