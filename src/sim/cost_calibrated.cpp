// Written by `make calibrate` (bench/calibrate); not by hand.
#include "sim/cost.hpp"

namespace creto {

CostTable calibrated_costs() {
    CostTable table = ed25519_costs();
    table.id = "colocated-2026-11-29";
    table.event_ns = 29062;
    table.send_ns = 29062;
    table.persist_ns = 43593;
    table.command_ns = 233698;
    return table;
}

}  // namespace creto
