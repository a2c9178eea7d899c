#include "link/profile.hpp"

#include "link/regions.hpp"

namespace creto {
namespace {

LinkProfile profile(
    const char* name, Duration least, Duration most, std::uint32_t loss_ppm, Duration retransmit
) {
    LinkProfile made;
    made.name = name;
    made.latency_min = least;
    made.latency_max = most;
    made.loss_ppm = loss_ppm;
    made.retransmit_timeout = retransmit;
    return made;
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

}  // namespace

// The retransmission timeouts follow RFC 6298 with the 200 ms floor that Linux uses: the round
// trip and four times its variation, or the floor.
LinkProfile local_profile() {
    return profile(
        "local", Duration::from_us(50), Duration::from_us(500), 0, Duration::from_ms(200)
    );
}
LinkProfile lan_profile() {
    return profile("lan", Duration::from_ms(1), Duration::from_ms(10), 100, Duration::from_ms(200));
}
LinkProfile wan_profile() {
    return profile(
        "wan", Duration::from_ms(50), Duration::from_ms(200), 1'000, Duration::from_ms(500)
    );
}
LinkProfile degraded_profile() {
    return profile(
        "degraded", Duration::from_ms(200), Duration::from_ms(500), 10'000, Duration::from_ms(1'200)
    );
}
LinkProfile regions_profile() {
    return profile(
        region_profile_name,
        Duration::from_ms(1),
        Duration::from_us(168'300),
        100,
        Duration::from_ms(400)
    );
}

Result<LinkProfile> parse_profile(std::string_view name) {
    const std::string wanted = lower(name.substr(0, 64));
    for (auto* make :
         {local_profile, lan_profile, wan_profile, degraded_profile, regions_profile}) {
        LinkProfile made = make();
        if (made.name == wanted) return made;
    }
    return fail(
        ErrorCode::invalid,
        "no network profile \"" + wanted + "\"; there are local, lan, wan, degraded and regions"
    );
}

Result<LinkProfile> check(LinkProfile profile) {
    const auto refuse = [&](const char* what) {
        return fail(ErrorCode::invalid, "network profile " + profile.name + ": " + what);
    };
    if (profile.latency_min < Duration{} || profile.latency_max < profile.latency_min ||
        profile.latency_max > limits::link_latency_max)
        return refuse("latency must be 0 <= min <= max <= 60 s");
    if (profile.jitter_percent > 100) return refuse("jitter is at most 100 percent");
    if (profile.loss_ppm > limits::link_ppm || profile.duplicate_ppm > limits::link_ppm ||
        profile.reorder_ppm > limits::link_ppm)
        return refuse("a rate is at most 1,000,000 parts per million");
    if (profile.reorder_extra < Duration{} || profile.reorder_extra > limits::link_latency_max)
        return refuse("reorder_extra must be between 0 and 60 s");
    if (profile.retransmit_timeout <= Duration{} ||
        profile.retransmit_timeout > limits::link_latency_max)
        return refuse("retransmit_timeout must be above 0 and at most 60 s");
    if (profile.bandwidth_bps > limits::link_bandwidth_bps_max)
        return refuse("bandwidth is at most 1 Tbit/s");
    if (profile.bandwidth_bps > 0 && profile.queue_bytes_max == 0)
        return refuse("a limited link needs a queue");
    if (profile.queue_bytes_max > limits::link_queue_bytes_max)
        return refuse("a queue holds at most 1 GiB");
    return profile;
}

}  // namespace creto
