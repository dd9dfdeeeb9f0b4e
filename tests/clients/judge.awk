# SPDX-License-Identifier: Apache-2.0
# Judges what a client of tools/clients was told by the rows that are there.
#
#   awk -v client=NAME -f judge.awk ROWS ACKNOWLEDGED
#
# A line of ROWS: client, kind, number, how many rows, how many different parts, how many with the right values. A line of
# ACKNOWLEDGED: kind, number. Prints how many rows were acknowledged, how many inserts and transactions of them are not
# there whole, how many are there more than once, and how many rows are not what was sent. A transaction that was not
# answered may be there or not, but whole.
FILENAME == ARGV[1] {
  if ($1 != client) next
  parts = $2 == "pair" ? 2 : 1
  there[$2, $3] = 1
  if ($4 > parts || $5 != $4) ++duplicated
  else if ($4 < parts) ++lost
  wrong += $4 - $6
  next
}
{
  rows += $1 == "pair" ? 2 : 1
  if (!(($1, $2) in there)) ++lost
}
END { print rows + 0, lost + 0, duplicated + 0, wrong + 0 }
