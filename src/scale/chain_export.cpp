#include "scale/chain_export.hpp"

#include <algorithm>
#include <map>

#include "dag/topological.hpp"
#include "order/keys.hpp"
#include "state/final_receipt.hpp"
#include "state/final_state.hpp"
#include "store/keys.hpp"

namespace creto {

namespace {

std::string at_height(Height height) {
    return "height " + std::to_string(height.value());
}

tl::unexpected<Error> broken(Height height, const std::string& what) {
    return fail(ErrorCode::invalid, at_height(height) + ": " + what);
}

/// The vertices of a block in their final order, as rule L7 says.
std::vector<VertexPtr> in_order(const Block& block, const VertexRuns& set) {
    std::vector<Digest> keys;
    keys.reserve(set.vertices.size());
    for (const VertexPtr& vertex : set.vertices) {
        keys.push_back(Hasher{HashDomain::order_key}
                           .update(block.parent.value())
                           .update_u64(block.view.value())
                           .update(vertex->id().value())
                           .finish());
    }
    return topological_order(set, keys);
}

/// The vertex before it in its lane; none when it is the lane's first.
std::optional<VertexRef> predecessor(const SealedVertex& vertex) {
    const VertexHeader& header = vertex.header();
    if (header.parents.empty() || header.parents.front().lane != header.lane) return std::nullopt;
    return header.parents.front();
}

class ChainReader {
public:
    explicit ChainReader(const StoreView& store) : store_{store} {}

    Result<std::optional<simplex::StoredBlock>> block(Height height) const {
        auto bytes = store_.get(Column::blocks, simplex::final_block_key(height));
        if (!bytes) return tl::unexpected<Error>(bytes.error());
        if (!*bytes) return std::nullopt;
        auto stored = decode_named<simplex::StoredBlock>(**bytes, "block");
        if (!stored || stored->block.height != height) {
            return fail(
                ErrorCode::corrupt,
                "the block at " + at_height(height) + " is damaged; run `creto fsck` on the folder"
            );
        }
        return std::move(*stored);
    }
    /// The kept certificates that finalise, by view: most blocks' own are not kept.
    Result<void> read_certificates() {
        const Bytes prefix{simplex::certificate_prefix};
        const keys::Range span = keys::with_prefix(prefix);
        return store_
            .scan(Column::certificates, span.from, span.to, [this](ByteView, ByteView value) {
                auto certificate = decode_named<Certificate>(value, "certificate");
                if (certificate && certificate->content.kind == VoteKind::finalize) {
                    const VoteContent& content = certificate->content;
                    certificates_.emplace(
                        std::pair{content.epoch, content.view}, std::move(*certificate)
                    );
                }
                return true;
            });
    }
    [[nodiscard]] std::optional<Certificate> finalization(const simplex::StoredBlock& stored
    ) const {
        if (stored.echo) return std::nullopt;  // Of another block, which repeats this one.
        if (stored.finalization) return stored.finalization;
        const auto found = certificates_.find({stored.block.epoch, stored.block.view});
        if (found == certificates_.end()) return std::nullopt;
        if (found->second.content != stored.block.content(VoteKind::finalize)) return std::nullopt;
        return found->second;
    }
    Result<std::vector<VertexPtr>> vertices(const Block& block) const {
        VertexRuns set;
        for (const LaneRange& range : block.delta) {
            auto run = lane_run(range);
            if (!run) return run;
            set.append(std::move(*run));
        }
        return in_order(block, set);
    }

private:
    /// From the tip down, by the hashes: a forked lane has other branches too.
    Result<std::vector<VertexPtr>> lane_run(const LaneRange& range) const {
        std::vector<VertexPtr> run;
        VertexId id = range.tip;
        while (true) {
            auto bytes = store_.get(Column::vertices, keys::vertex(id));
            if (!bytes) return tl::unexpected<Error>(bytes.error());
            auto vertex = *bytes ? SealedVertex::decode(**bytes)
                                 : Result<VertexPtr>{fail(ErrorCode::not_found, "missing")};
            if (!vertex || (*vertex)->id() != id) {
                return fail(
                    ErrorCode::corrupt,
                    "vertex " + id.value().hex() + " is missing or damaged; run `creto fsck`"
                );
            }
            run.push_back(*vertex);
            if ((*vertex)->header().sequence <= range.first) break;
            const auto before = predecessor(**vertex);
            if (!before) break;
            id = before->id;
        }
        std::reverse(run.begin(), run.end());
        return run;
    }

    const StoreView& store_;
    std::map<std::pair<Epoch, View>, Certificate> certificates_;
};

}  // namespace

Result<void> export_chain(
    const StoreView& store,
    const ExportRange& range,
    const std::function<Result<void>(const ExportedBlock&)>& visit
) {
    auto kept = store.get(Column::meta, keys::kept_from());
    if (!kept) return tl::unexpected<Error>(kept.error());
    const std::uint64_t kept_from = *kept ? keys::parse_number(**kept).value_or(1) : 1;
    if (range.from.value() < kept_from) {
        return fail(
            ErrorCode::not_found,
            "this node keeps blocks from height " + std::to_string(kept_from) +
                " on (storage.keep_blocks, or it took over the state there): export from that "
                "height"
        );
    }
    ChainReader reader{store};
    if (auto read = reader.read_certificates(); !read) return read;
    // Where it can end: the first certified block at or above `to`, else the highest there is.
    std::optional<Height> end;
    Height tip;
    for (Height at = range.from; !(end && range.to != Height{} && *end >= range.to);
         at = at.next()) {
        auto stored = reader.block(at);
        if (!stored) return tl::unexpected<Error>(stored.error());
        if (!*stored) break;
        tip = at;
        if (reader.finalization(**stored)) end = at;
    }
    if (!end || *end < range.from || (range.to != Height{} && tip < range.to)) {
        return fail(
            ErrorCode::not_found,
            "heights " + std::to_string(range.from.value()) + " to " +
                (range.to == Height{} ? "the last" : std::to_string(range.to.value())) +
                " are not final here" +
                (tip == Height{} ? "" : "; the last final height is " + std::to_string(tip.value()))
        );
    }
    for (Height at = range.from; at <= *end; at = at.next()) {
        auto stored = reader.block(at);
        if (!stored) return tl::unexpected<Error>(stored.error());
        auto vertices = reader.vertices((*stored)->block);
        if (!vertices) return tl::unexpected<Error>(vertices.error());
        auto visited =
            visit({(*stored)->block, reader.finalization(**stored), std::move(*vertices)});
        if (!visited) return visited;
    }
    return {};
}

class ExportCheck::Impl {
public:
    explicit Impl(const Roster& roster) : roster_{roster} {}

    Result<void> add(const ExportedBlock& exported) {
        const Block& block = exported.block;
        const Height height = block.height;
        if (auto form = well_formed(block); !form) return broken(height, form.error().message);
        if (block.epoch != roster_.epochs().of(height))
            return broken(height, "it is not of the epoch of its height");
        if (auto linked = check_parent(block); !linked) return linked;
        if (auto covered = check_vertices(exported); !covered) return covered;
        if (exported.finalization) {
            const Ed25519Scheme scheme;
            auto good = check_finalization(*exported.finalization, block, voters_of(block), scheme);
            if (!good) return broken(height, good.error().message + hint(block));
            certified_ = height;
            facts_.signed_by = exported.finalization->count();
        }
        if (auto executed = execute(exported); !executed) return executed;
        facts_.to = height;
        last_ = block.id();
        for (const VertexPtr& vertex : exported.vertices)
            facts_.operations += vertex->operations().size();
        facts_.vertices += exported.vertices.size();
        return {};
    }

    Result<ExportFacts> finish() const {
        if (!last_) return fail(ErrorCode::invalid, "it holds no block");
        if (certified_ != facts_.to) {
            return broken(facts_.to, "no certificate finalises the last block");
        }
        ExportFacts out = facts_;
        out.state_checked = state_.has_value();
        return out;
    }

private:
    /// Who votes where the block is: executing what came before has told.
    const Roster& voters_of(const Block& block) {
        if (!state_ || block.epoch <= Epoch{2}) return roster_;
        if (!voters_ || voters_->epoch() != block.epoch) {
            voters_.emplace(roster_, block.epoch, state_->seats().seating(block.epoch));
        }
        return *voters_;
    }
    std::string hint(const Block& block) const {
        if (state_ || block.epoch <= Epoch{2}) return {};
        return "; the roster may have changed since the genesis, which only an export from height "
               "1 "
               "shows";
    }
    Result<void> check_parent(const Block& block) {
        if (last_) {
            if (block.parent != *last_ || block.height != facts_.to.next()) {
                return broken(block.height, "it does not continue the block before it");
            }
            return {};
        }
        facts_.from = block.height;
        if (block.height != Height{1}) return {};
        if (block.parent != genesis_block_id(roster_.chain())) {
            return broken(block.height, "it belongs to another network than this genesis");
        }
        state_.emplace(roster_);
        marks_.emplace(Height{}, ExecutedMark{});  // Nothing was executed yet.
        return {};
    }

    /// Exactly the vertices that the cut names, each bound to its lane's tip by hashes.
    Result<void> check_vertices(const ExportedBlock& exported) {
        const Block& block = exported.block;
        std::map<LaneId, std::vector<VertexPtr>> lanes;
        for (const VertexPtr& vertex : exported.vertices)
            lanes[vertex->header().lane].push_back(vertex);
        VertexRuns set;
        std::size_t named = 0;
        for (const LaneRange& range : block.delta) {
            std::vector<VertexPtr>& run = lanes[range.lane];
            std::sort(run.begin(), run.end(), [](const VertexPtr& a, const VertexPtr& b) {
                return a->header().sequence < b->header().sequence;
            });
            const std::uint64_t count = range.last.value() - range.first.value() + 1;
            bool whole = run.size() == count && run.back()->id() == range.tip &&
                         run.front()->header().sequence == range.first;
            for (std::size_t i = 1; whole && i < run.size(); ++i) {
                const auto before = predecessor(*run[i]);
                whole = before && before->id == run[i - 1]->id();
            }
            if (!whole) {
                return broken(
                    block.height,
                    "the vertices of lane " + lane_text(range.lane) + " are not those of the cut"
                );
            }
            named += run.size();
            set.append(run);
        }
        if (named != exported.vertices.size()) {
            return broken(block.height, "it holds vertices that the cut does not name");
        }
        if (in_order(block, set) != exported.vertices) {
            return broken(block.height, "its vertices are not in the final order");
        }
        return {};
    }

    Result<void> execute(const ExportedBlock& exported) {
        if (!state_) return {};
        const ExecutedMark& named = exported.block.executed;
        const auto known = marks_.find(named.height);
        if (known == marks_.end() || known->second != named) {
            return broken(
                exported.block.height,
                "the state that it names for " + at_height(named.height) + " does not come out"
            );
        }
        static_cast<void>(state_->apply(exported.block, exported.block.id(), exported.vertices));
        marks_.emplace(state_->mark().height, state_->mark());
        if (marks_.size() > marks_max) marks_.erase(marks_.begin());
        return {};
    }

    static constexpr std::size_t marks_max = 4'096;
    const Roster& roster_;
    ExportFacts facts_;
    std::optional<BlockId> last_;
    Height certified_;
    std::optional<FinalState> state_;
    std::optional<Roster> voters_;
    std::map<Height, ExecutedMark> marks_;  ///< That a block to come may name.
};

ExportCheck::ExportCheck(const Roster& roster) : impl_{std::make_unique<Impl>(roster)} {}
ExportCheck::~ExportCheck() = default;
Result<void> ExportCheck::add(const ExportedBlock& exported) {
    return impl_->add(exported);
}
Result<ExportFacts> ExportCheck::finish() const {
    return impl_->finish();
}

}  // namespace creto
