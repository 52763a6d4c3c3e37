#!/usr/bin/env python3
"""Writes src/engine/tokenizer/newer_code_points.inc: what tokenizers' own Oniguruma knows of Unicode and Debian 12's
(6.9.8, Unicode 14) does not.

    make_newer_code_points.py OUT

Both are asked for every code point of every general category. Needs the PyPI package tokenizers, a C compiler and
Debian's libonig-dev.
"""
import subprocess
import sys
import tempfile

from tokenizers import Regex, pre_tokenizers

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cf".split()
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
PROGRAM = r"""
#include <oniguruma.h>
#include <stdio.h>
#include <string.h>
static int utf8(unsigned c, unsigned char *b) {
  if (c < 0x80) { b[0] = c; return 1; }
  if (c < 0x800) { b[0] = 0xc0 | c >> 6; b[1] = 0x80 | (c & 63); return 2; }
  if (c < 0x10000) { b[0] = 0xe0 | c >> 12; b[1] = 0x80 | (c >> 6 & 63); b[2] = 0x80 | (c & 63); return 3; }
  b[0] = 0xf0 | c >> 18; b[1] = 0x80 | (c >> 12 & 63); b[2] = 0x80 | (c >> 6 & 63); b[3] = 0x80 | (c & 63); return 4;
}
int main(int argc, char **argv) {
  regex_t *regex; OnigErrorInfo info; OnigUChar *p = (OnigUChar *)argv[1];
  if (onig_new(&regex, p, p + strlen(argv[1]), 0, ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info)) return 1;
  for (unsigned c = 0; c < 0x110000; ++c) {
    unsigned char b[4];
    if (c >= 0xd800 && c < 0xe000) continue;
    int n = utf8(c, b);
    if (onig_match(regex, b, b + n, b, 0, 0) == n) printf("%u\n", c);
  }
  return 0;
}
"""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    text, rows = "".join(map(chr, CODE_POINTS)), []
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/has.c", "w") as source:
            source.write(PROGRAM)
        subprocess.run(["cc", "-O2", source.name, "-o", f"{directory}/has", "-lonig"], check=True)
        for category in CATEGORIES:
            pattern = r"\p{%s}" % category
            known = subprocess.run([f"{directory}/has", pattern], check=True, capture_output=True, text=True).stdout
            others = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(text)
            theirs = set(CODE_POINTS) - {ord(c) for piece, _ in others for c in piece}
            for code_point in sorted(theirs - set(map(int, known.split()))):
                if rows and rows[-1][1:] == [code_point - 1, category]:
                    rows[-1][1] = code_point
                else:
                    rows.append([code_point, code_point, category])
    with open(sys.argv[1], "w") as out:
        out.write("// {first, last, general category}; made by tools/models/make_newer_code_points.py.\n")
        out.writelines('{0x%05x, 0x%05x, "%s"},\n' % tuple(row) for row in sorted(rows))


if __name__ == "__main__":
    main()
