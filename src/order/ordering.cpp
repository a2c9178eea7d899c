#include "order/ordering.hpp"

#include "order/core.hpp"

namespace creto {

Ordering::Ordering(
    const Roster& roster,
    std::optional<Seat> self,
    const Signer& signer,
    CutSource& source,
    OrderingOptions options,
    Log& log,
    const Rosters* rosters
)
    : core_{std::make_unique<OrderingCore>(roster, self, signer, source, options, log, rosters)} {}

Ordering::Ordering(std::unique_ptr<OrderingCore> core) : core_{std::move(core)} {}
Ordering::~Ordering() = default;

Result<void> Ordering::restore(
    const StoreView& store,
    const VoteLogContents& votes,
    const RestoredBlocks& take,
    const std::optional<Anchor>& anchor
) {
    if (auto chain = core_->restore_chain(store, take, anchor); !chain) return chain;
    if (core_->next_roster() != nullptr) core_ = core_->succeed();  // [ORD-R8.1]
    return core_->restore_rest(store, votes);
}
void Ordering::adopt(
    const Anchor& anchor,
    const Checked<const ChainAnswer&>& proof,
    const AgentId& from,
    Instant now,
    Effects& effects
) {
    const Epochs& epochs = core_->roster().epochs();
    if (epochs.after(anchor.block.height) != core_->epoch()) {
        core_ = core_->succeed_at(anchor);
        core_->start(now, effects);
    }
    core_->adopt(anchor, *proof, from, now, effects);
    turn(now, effects);
}
std::optional<ChainAnswer> Ordering::prove(
    const ExecutedMark& mark, const std::vector<simplex::StoredBlock>& stored
) const {
    return core_->prove(mark, stored);
}
void Ordering::write_chain(Effects& effects) {
    core_->write_chain(effects);
}
void Ordering::keep_from(Height height) {
    core_->keep_from(height);
}
std::vector<AgentId> Ordering::take_unserved() {
    return core_->take_unserved();
}
void Ordering::start(Instant now, Effects& effects) {
    core_->start(now, effects);
    turn(now, effects);
}
void Ordering::on_proposal(
    const AgentId& from,
    const Checked<const Proposal&>& m,
    Instant came,
    Instant now,
    Effects& effects
) {
    core_->on_proposal(from, *m, came, now, effects);
    turn(now, effects);
}
void Ordering::on_vote(
    const AgentId& from, const Checked<const Vote&>& m, Instant now, Effects& effects
) {
    core_->on_vote(from, *m, now, effects);
    turn(now, effects);
}
void Ordering::on_certificate(
    const AgentId& from, const Checked<const Certificate&>& m, Instant now, Effects& effects
) {
    core_->on_certificate(from, *m, now, effects);
    turn(now, effects);
}
void Ordering::on_partial(
    const AgentId& from, const Checked<const PartialCertificate&>& m, Instant now, Effects& effects
) {
    core_->on_partial(from, *m, now, effects);
    turn(now, effects);
}
void Ordering::on_chain_answer(
    const AgentId& from, const Checked<const ChainAnswer&>& m, Instant now, Effects& effects
) {
    core_->on_chain_answer(from, *m, now, effects);
    turn(now, effects);
}
void Ordering::on_status(const AgentId& from, const OrderStatus& m, Instant now, Effects& effects) {
    core_->on_status(from, m, now, effects);
    turn(now, effects);
}
void Ordering::on_certificate_request(
    const AgentId& from, const CertificateRequest& m, Instant now, Effects& effects
) {
    core_->on_certificate_request(from, m, now, effects);
    turn(now, effects);
}
void Ordering::on_block_request(
    const AgentId& from, const BlockRequest& m, Instant now, Effects& effects
) {
    core_->on_block_request(from, m, now, effects);
    turn(now, effects);
}
void Ordering::on_chain_request(
    const AgentId& from, const ChainRequest& m, Instant now, Effects& effects
) {
    core_->on_chain_request(from, m, now, effects);
    turn(now, effects);
}
void Ordering::on_peer_up(const AgentId& peer, Instant now, Effects& effects) {
    core_->on_peer_up(peer, now, effects);
    turn(now, effects);
}
void Ordering::on_peer_down(const AgentId& peer, Instant now, Effects& effects) {
    core_->on_peer_down(peer, now, effects);
    turn(now, effects);
}
void Ordering::hear(const AgentId& from, Instant now) {
    core_->hear(from, now);
}
void Ordering::saw(const AgentId& from, const Message& message, Instant now) {
    if (const auto* vote = std::get_if<Vote>(&message)) core_->saw(from, *vote, now);
}
void Ordering::on_other_epoch(const AgentId& from, Epoch epoch, Instant now, Effects& effects) {
    core_->on_other_epoch(from, epoch, now, effects);
    turn(now, effects);
}
void Ordering::turn(Instant now, Effects& effects) {
    while (core_->ended() && core_->next_roster() != nullptr) {
        core_ = core_->succeed();
        core_->start(now, effects);
    }
}
void Ordering::on_data(Instant now, Effects& effects) {
    core_->on_data(now, effects);
    turn(now, effects);
}
void Ordering::on_persisted(Ticket ticket, Instant now, Effects& effects) {
    core_->on_persisted(ticket, now, effects);
    turn(now, effects);
}
void Ordering::on_loaded(const Loaded& loaded, Instant now, Effects& effects) {
    core_->on_loaded(loaded, now, effects);
    turn(now, effects);
}
void Ordering::on_time(Instant now, Effects& effects) {
    core_->on_time(now, effects);
    turn(now, effects);
}
Instant Ordering::next_wake() const {
    return core_->next_wake();
}
void Ordering::on_executed(const ExecutedMark& mark, Instant now, Effects& effects) {
    core_->on_executed(mark, now, effects);
    turn(now, effects);
}
std::vector<FinalizedBlock> Ordering::take_finalized() {
    return core_->take_finalized();
}
std::vector<WantedData> Ordering::take_wanted() {
    return core_->take_wanted();
}
std::vector<RosterLink> Ordering::take_links() {
    return core_->take_links();
}
std::vector<Evidence> Ordering::take_evidence() {
    return core_->take_evidence();
}
bool Ordering::worth_checking(const Message& message) const {
    return core_->worth_checking(message);
}
void Ordering::hand_on(
    const AgentId& from, const std::shared_ptr<const Message>& message, Effects& effects
) {
    core_->hand_on(from, message, effects);
}
bool Ordering::forgives(const AgentId& from, const Message& message) {
    return core_->forgives(from, message);
}
std::optional<Gatherable> Ordering::gatherable(const Message& message) const {
    return core_->gatherable(message);
}
bool Ordering::enough(const VoteContent& content, const Bytes& signers) const {
    return core_->enough(content, signers);
}
Epoch Ordering::epoch() const {
    return core_->epoch();
}
const Roster& Ordering::roster() const {
    return core_->roster();
}
View Ordering::view() const {
    return core_->view();
}
Seat Ordering::leader_of(View view) const {
    return core_->leader(view);
}
bool Ordering::votes_are_direct() const {
    return core_->votes_are_direct();
}
Height Ordering::finalized_height() const {
    return core_->finalized().height;
}
View Ordering::finalized_view() const {
    return core_->finalized().view;
}
BlockId Ordering::finalized_id() const {
    return core_->finalized().id;
}
const Cut& Ordering::finalized_cut() const {
    return *core_->finalized().cut;
}
bool Ordering::behind() const {
    return core_->behind();
}
const std::optional<std::string>& Ordering::halted() const {
    return core_->halted();
}
OrderStatus Ordering::status() const {
    return core_->status();
}
const OrderingCounters& Ordering::counters() const {
    return core_->counters();
}
OrderingHeld Ordering::held() const {
    return core_->held();
}
View Ordering::votes_needed_from() const {
    return core_->votes_needed_from();
}

std::optional<Epoch> epoch_of(const Message& message) {
    if (const auto* vote = std::get_if<Vote>(&message)) return vote->content.epoch;
    if (const auto* proposal = std::get_if<Proposal>(&message)) return proposal->block.epoch;
    if (const auto* certificate = std::get_if<Certificate>(&message))
        return certificate->content.epoch;
    if (const auto* partial = std::get_if<PartialCertificate>(&message))
        return partial->votes.content.epoch;
    if (const auto* request = std::get_if<CertificateRequest>(&message)) return request->epoch;
    return std::nullopt;
}

}  // namespace creto
