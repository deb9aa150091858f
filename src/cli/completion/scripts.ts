/**
 * What a shell is told once. Each asks `milena complete -- WORD…`, the last word being the one under the cursor, and
 * gets a candidate a line, its description behind a tab. Nothing that comes back is ever expanded or run: names of
 * groups are whatever their members call themselves.
 */
export const SCRIPTS = {
  bash: String.raw`# milena completion bash >> ~/.bashrc
_milena() {
  local value
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    COMPREPLY+=("$value")
  done < <(milena complete -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _milena milena
`,
  zsh: String.raw`#compdef milena
# milena completion zsh > a file called _milena in a folder of $fpath, or: source <(milena completion zsh)
_milena() {
  local line
  local -a candidates
  while IFS= read -r line; do
    candidates+=("${'$'}{line/$'\t'/:}")
  done < <(milena complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${'$'}{#candidates} )); then
    _describe milena candidates
  else
    _files
  fi
}
if [[ "${'$'}{funcstack[1]}" == _milena ]]; then
  _milena "$@"
else
  compdef _milena milena
fi
`,
  fish: String.raw`# milena completion fish > ~/.config/fish/completions/milena.fish
function __milena_complete
  set -l words (commandline -opc)
  set -a words "$(commandline -ct)"
  milena complete -- $words[2..-1] 2>/dev/null
end
complete --command milena --no-files --arguments '(__milena_complete)'
`,
  pwsh: String.raw`# milena completion pwsh >> $PROFILE
Register-ArgumentCompleter -Native -CommandName milena -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  milena complete '--' @words "$wordToComplete" 2>$null | ForEach-Object {
    $value, $description = $_ -split [char]9, 2
    if (-not $description) { $description = $value }
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
  }
}
`,
} as const;

export type Shell = keyof typeof SCRIPTS;
