# SPDX-License-Identifier: Apache-2.0
# Turns the table of greetings into a shell program: 'hello [NAME]' in $HELLO_LANGUAGE.

BEGIN {
  print "#!/bin/sh"
  print "case ${HELLO_LANGUAGE:-en} in"
}

NF == 2 {
  printf "  %s) greeting=%s ;;\n", $1, $2
}

END {
  print "  *) echo \"hello: no greeting in '$HELLO_LANGUAGE'\" >&2; exit 2 ;;"
  print "esac"
  print "echo \"$greeting, ${1:-from revision ${HELLO_REVISION:-unknown}}!\""
}
