// Written by `make costs`; never by hand, and never while something is simulated.
//
// Machine  Intel(R) Xeon(R) Processor, 2 processors
#include "sim/cost.hpp"

namespace creto {

CostTable measured_costs() {
    CostTable table;
    table.id = "measured-22996147";
    table.event_ns = 241;
    table.open_byte_ps = 750;
    table.decode_byte_ps = 1473;
    table.hash_byte_ps = 254;
    table.tally_ns = 103;
    table.apply_ns = 258;
    table.send_ns = 202;
    table.send_byte_ps = 744;
    table.sign_ns = 19228;
    table.append_ns = 1310;
    table.persist_ns = 4670;
    table.verify_ns = 51723;
    table.sync_ns = 148558;
    return table;
}

}  // namespace creto
