// creto_main: the command line of creto, as creto --help shows it.
//
// Holds    Exit codes: 0 done, 1 failed, 2 usage, 3 partial, 4 unreachable, 5 the tool answered an error,
//          6 not authorised, 10 quorum not reached, 11 result refuted. With --json stdout holds exactly
//          one JSON document; everything else goes to stderr.
#pragma once

namespace creto {

int creto_main(int argc, char** argv);

}  // namespace creto
