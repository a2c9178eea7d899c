#include "sim/life/planted.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "sim/byzantine/attack.hpp"
#include "sim/life/mistaken.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

struct PlantedRow {
    PlantedBug bug;
    const char* name;
    const char* checker;
};
constexpr std::array planted_rows{
    PlantedRow{PlantedBug::double_vote, "double-vote", "single-vote"},
    PlantedRow{PlantedBug::hasty_vote, "hasty-vote", "durable-vote"},
    PlantedRow{PlantedBug::amnesia, "amnesia", "halt"},
    PlantedRow{PlantedBug::wrong_state, "wrong-state", "agreement"},
    PlantedRow{PlantedBug::skipped_height, "skipped-height", "prefix"},
    PlantedRow{PlantedBug::hollow_answer, "hollow-answer", "durability"},
    PlantedRow{PlantedBug::altered_write, "altered-write", "integrity"},
    PlantedRow{PlantedBug::write_twice, "write-twice", "exactly-once"},
    PlantedRow{PlantedBug::thin_certificate, "thin-certificate", "certificate"},
    PlantedRow{PlantedBug::deaf_after_start, "deaf-after-start", "progress"},
    PlantedRow{PlantedBug::slander, "slander", "evidence"},
    PlantedRow{PlantedBug::two_answers, "two-answers", "one-reply"},
    PlantedRow{PlantedBug::hasty_read, "hasty-read", "same-reads"},
    PlantedRow{PlantedBug::mute_finality, "mute-finality", "catch-up"},
    PlantedRow{PlantedBug::hollow_causal, "hollow-causal", "causal-durability"},
    PlantedRow{PlantedBug::busybody, "busybody", "state"},
    PlantedRow{PlantedBug::hoarder, "hoarder", "resources"},
    PlantedRow{PlantedBug::glutton, "glutton", "resources"},
    PlantedRow{PlantedBug::lost_disk, "lost-disk", "restore"},
    PlantedRow{PlantedBug::torn_graph, "torn-graph", "replay"},
    PlantedRow{PlantedBug::endless_ticket, "endless-ticket", "persist"},
    PlantedRow{PlantedBug::garbage, "garbage", "message"},
    PlantedRow{PlantedBug::restless, "restless", "time"},
    PlantedRow{PlantedBug::leaps_back, "leaps-back", "monotonic"},
    PlantedRow{PlantedBug::other_epoch, "other-epoch", "epoch"},
    PlantedRow{PlantedBug::broken_lock, "broken-lock", "justification"},
    PlantedRow{PlantedBug::torn_proof, "torn-proof", "proof"},
    PlantedRow{PlantedBug::slow_ears, "slow-ears", "view-sync"},
    PlantedRow{PlantedBug::refuses_some, "refuses-some", "recovery"},
    PlantedRow{PlantedBug::blind_eye, "blind-eye", "completeness"},
    PlantedRow{PlantedBug::circling, "circling", "livelock"},
    PlantedRow{PlantedBug::two_chains, "two-chains", "one-outcome"},
    PlantedRow{PlantedBug::dice, "dice", "determinism"},
};

bool is_of_all_nodes(PlantedBug bug) {
    return bug == PlantedBug::blind_eye || bug == PlantedBug::circling;
}

}  // namespace

const std::vector<PlantedBug>& all_planted_bugs() {
    static const std::vector<PlantedBug> all = [] {
        std::vector<PlantedBug> list;
        for (const PlantedRow& row : planted_rows)
            list.push_back(row.bug);
        return list;
    }();
    return all;
}

const char* to_string(PlantedBug bug) {
    return planted_rows.at(static_cast<std::size_t>(bug)).name;
}

const char* noticed_by(PlantedBug bug) {
    return planted_rows.at(static_cast<std::size_t>(bug)).checker;
}

Result<PlantedBug> parse_planted_bug(std::string_view name) {
    std::string known;
    for (const PlantedRow& row : planted_rows) {
        if (name == row.name) return row.bug;
        known += (known.empty() ? "" : ", ") + std::string{row.name};
    }
    return fail(
        ErrorCode::invalid,
        "no planted bug \"" + std::string{name.substr(0, 64)} + "\"; there are " + known
    );
}

ParticipantFactory planted(PlantedBug bug) {
    const auto thrown = std::make_shared<std::uint64_t>(0);
    return [bug, thrown](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        auto honest = std::make_unique<NodeParticipant>(parts);
        if (parts.index != NodeIndex{0} && !is_of_all_nodes(bug)) return honest;
        switch (bug) {
            case PlantedBug::double_vote:
                return deviate(Attack::equivocation, std::move(honest), parts);
            case PlantedBug::two_chains:
                return honest;  // The schedule's liars do it.
            default:
                return mistaken(bug, parts, thrown);
        }
    };
}

std::optional<Schedule> schedule_for(PlantedBug bug, Schedule schedule) {
    const bool needs_liar = bug == PlantedBug::torn_proof || bug == PlantedBug::blind_eye;
    if (needs_liar || bug == PlantedBug::two_chains) {
        if (schedule.mode == QuorumMode::crash) return std::nullopt;
        std::erase_if(schedule.faults, [](const Fault& fault) {
            return loses_what_was_synced(fault.kind) || fault.kind == FaultKind::log_tear;
        });
        schedule.byzantine.clear();
    }
    if (needs_liar) {
        schedule.byzantine = {{1, Attack::open_equivocation}};
        schedule.costs = "none";
    }
    if (bug == PlantedBug::two_chains) {
        schedule.nodes = 4;
        schedule.spares = 0;
        schedule.faults.clear();
        schedule.byzantine = {{2, Attack::collusion}, {3, Attack::collusion}};
    }
    if (bug == PlantedBug::circling) {
        schedule.knobs.heartbeat = Duration::from_ms(500);
        schedule.knobs.delta = Duration::from_ms(50);
    }
    if (bug == PlantedBug::glutton)
        schedule.faults.push_back(
            {Duration::from_s(1),
             Duration::from_s(20),
             FaultKind::memory_budget,
             {0},
             {},
             fair_memory_kib,
             500}
        );
    if (bug == PlantedBug::torn_graph)  // Or it would not start again, which is another promise.
        std::erase_if(schedule.faults, [](const Fault& fault) {
            return std::find(fault.nodes.begin(), fault.nodes.end(), 0U) != fault.nodes.end();
        });
    if (bug == PlantedBug::refuses_some) schedule.workload.steady = Duration::from_s(80);
    if (unreliable(schedule)[0]) return std::nullopt;
    return schedule;
}

}  // namespace creto
