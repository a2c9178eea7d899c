#include "cli/export.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "ops/api_json.hpp"
#include "rocks/read_only_store.hpp"
#include "scale/chain_export.hpp"
#include "scale/config.hpp"

namespace creto {

namespace {

constexpr const char* format_name = "creto-export";
constexpr int format_version = 1;

/// What an operation does, for people.
JsonDoc operation_json(const Operation& operation) {
    JsonDoc out{
        {"kind", kind_name(operation.body)},
        {"client", agent_text(operation.client)},
        {"counter", operation.counter}};
    if (const auto* data = std::get_if<DataOperation>(&operation.body)) {
        out["payload"] = bytes_json(data->payload);
    } else if (const auto* key = std::get_if<KeyOperation>(&operation.body)) {
        out["key"] = key->key;
        switch (key->action) {
            case KeyOperation::Action::set:
                out["set"] = bytes_json(key->value);
                break;
            case KeyOperation::Action::add:
                out["add"] = key->amount;
                break;
            case KeyOperation::Action::remove:
                out["remove"] = true;
                break;
        }
    } else if (const auto* crdt = std::get_if<CrdtOperation>(&operation.body)) {
        out["key"] = crdt->key;
        if (!crdt->path.empty()) out["path"] = crdt->path;
        out["crdt"] = to_string(kind_of(crdt->action));
        if (removes(crdt->action)) {
            out["remove"] = crdt->value.empty() ? JsonDoc(true) : bytes_json(crdt->value);
        } else if (crdt->action == CrdtOperation::Action::counter_add) {
            out["add"] = crdt->amount;
        } else {
            out["set"] = bytes_json(crdt->value);
        }
    } else if (const auto* call = std::get_if<CallRecordOperation>(&operation.body)) {
        out["contract"] = call->receipt->request.contract.value().hex();
        out["answers"] = call->receipt->answers.size();
    }
    return out;
}

JsonDoc block_json(const ExportedBlock& exported) {
    JsonDoc out = to_json(exported.block);
    out["bytes"] = to_hex(encode_bytes(exported.block));
    if (exported.finalization) out["finalization"] = to_hex(encode_bytes(*exported.finalization));
    out["vertices"] = JsonDoc::array();
    for (const VertexPtr& vertex : exported.vertices) {
        JsonDoc operations = JsonDoc::array();
        for (const Operation& operation : vertex->operations())
            operations.push_back(operation_json(operation));
        out["vertices"].push_back(
            {{"lane", lane_text(vertex->header().lane)},
             {"sequence", vertex->header().sequence.value()},
             {"id", vertex->id().value().hex()},
             {"operations", std::move(operations)},
             {"bytes", to_hex(vertex->bytes())}}
        );
    }
    return out;
}

JsonDoc head_json(const Genesis& genesis) {
    return {
        {"format", format_name},
        {"version", format_version},
        {"network", genesis.network},
        {"chain", Roster{genesis}.chain().value().hex()}};
}

/// The file as it grows; it gets its name when it is whole.
class ExportFile {
public:
    ExportFile(const ExportOptions& options, const Genesis& genesis)
        : name_{options.file},
          beside_{options.file.string() + ".new"},
          lines_{options.format == "jsonl"},
          out_{beside_, std::ios::binary | std::ios::trunc} {
        std::string head = in_one_line(head_json(genesis));
        if (!lines_) {
            head.pop_back();
            head += ",\"blocks\":[";
        }
        out_ << head << "\n";
    }
    Result<void> add(const ExportedBlock& block) {
        if (!lines_ && count_ > 0) out_ << ",\n";
        out_ << in_one_line(block_json(block));
        if (lines_) out_ << "\n";
        ++count_;
        return out_ ? Result<void>{} : failed();
    }
    Result<void> finish() {
        if (!lines_) out_ << "\n]}\n";
        out_.close();
        if (!out_) return failed();
        std::error_code error;
        std::filesystem::rename(beside_, name_, error);
        if (error) return fail(ErrorCode::io, name_.string() + ": " + error.message());
        return {};
    }
    void abandon() {
        out_.close();
        std::error_code ignored;
        std::filesystem::remove(beside_, ignored);
    }

private:
    [[nodiscard]] Result<void> failed() const {
        return fail(ErrorCode::io, beside_.string() + ": " + std::strerror(errno));
    }
    std::filesystem::path name_;
    std::filesystem::path beside_;
    bool lines_;
    std::ofstream out_;
    std::size_t count_ = 0;
};

Result<Bytes> hex_at(const JsonDoc& doc, const char* name) {
    auto bytes = from_hex(doc.at(name).get<std::string>());
    if (!bytes) return fail(ErrorCode::invalid, std::string{"\""} + name + "\" is not hexadecimal");
    return std::move(*bytes);
}

Result<ExportedBlock> read_block(const JsonDoc& doc) {
    ExportedBlock out;
    auto bytes = hex_at(doc, "bytes");
    if (!bytes) return tl::unexpected<Error>(bytes.error());
    auto block = decode_named<Block>(*bytes, "block");
    if (!block) return tl::unexpected<Error>(block.error());
    out.block = std::move(*block);
    if (doc.contains("finalization")) {
        bytes = hex_at(doc, "finalization");
        if (!bytes) return tl::unexpected<Error>(bytes.error());
        auto certificate = decode_named<Certificate>(*bytes, "finalization");
        if (!certificate) return tl::unexpected<Error>(certificate.error());
        out.finalization = std::move(*certificate);
    }
    for (const JsonDoc& item : doc.at("vertices")) {
        bytes = hex_at(item, "bytes");
        if (!bytes) return tl::unexpected<Error>(bytes.error());
        auto vertex = SealedVertex::decode(*bytes);
        if (!vertex) return tl::unexpected<Error>(vertex.error());
        out.vertices.push_back(std::move(*vertex));
    }
    if (JsonDoc::parse(in_one_line(block_json(out)), nullptr, false) != doc) {
        return fail(
            ErrorCode::invalid,
            "height " + std::to_string(out.block.height.value()) +
                ": what is shown is not what the bytes say"
        );
    }
    return out;
}

Result<void> check_head(const JsonDoc& doc, const Roster& roster) {
    if (!doc.is_object() || doc.value("format", "") != format_name) {
        return fail(ErrorCode::invalid, "it is no export; expected what `creto export FILE` wrote");
    }
    if (doc.value("version", 0) != format_version) {
        return fail(ErrorCode::invalid, "its version is not 1; use the creto that wrote it");
    }
    if (doc.value("chain", "") != roster.chain().value().hex()) {
        return fail(ErrorCode::invalid, "it belongs to another network than this genesis");
    }
    return {};
}

Result<void> add_block(ExportCheck& check, const JsonDoc& doc) {
    auto block = read_block(doc);
    if (!block) return tl::unexpected<Error>(block.error());
    return check.add(*block);
}

/// Both formats: a document on one line or many, or a head and a block a line.
Result<ExportFacts> check_file(const std::filesystem::path& file, const Roster& roster) {
    std::ifstream in{file, std::ios::binary};
    std::string line;
    ExportCheck check{roster};
    std::getline(in, line);
    JsonDoc head = JsonDoc::parse(line, nullptr, false);
    if (!head.is_discarded() && !head.contains("blocks")) {
        if (auto good = check_head(head, roster); !good) return tl::unexpected<Error>(good.error());
        for (std::size_t number = 2; std::getline(in, line); ++number) {
            const JsonDoc doc = JsonDoc::parse(line, nullptr, false);
            auto added =
                doc.is_discarded()
                    ? Result<void>{fail(
                          ErrorCode::invalid, "line " + std::to_string(number) + " is no JSON"
                      )}
                    : add_block(check, doc);
            if (!added) return tl::unexpected<Error>(added.error());
        }
        return check.finish();
    }
    in.seekg(0);
    const JsonDoc doc = JsonDoc::parse(in, nullptr, false);
    if (auto good = check_head(doc, roster); !good) return tl::unexpected<Error>(good.error());
    for (const JsonDoc& block : doc.at("blocks")) {
        if (auto added = add_block(check, block); !added)
            return tl::unexpected<Error>(added.error());
    }
    return check.finish();
}

}  // namespace

int command_export(const ExportOptions& options, const Output& output) {
    auto config = load_config(options.dir, {});
    if (!config) return output.fail(config.error(), exit_code::usage);
    auto genesis = read_genesis(config->dir / config->genesis);
    if (!genesis) return output.fail(genesis.error(), exit_code::failed);
    if (options.from == 0) {
        return output.fail({ErrorCode::invalid, "the first height is 1"}, exit_code::usage);
    }
    auto store = ReadOnlyStore::open((config->dir / config->data).string());
    if (!store) return output.fail(store.error(), exit_code::failed);
    ExportFile file{options, *genesis};
    std::uint64_t last = 0;
    std::uint64_t vertices = 0;
    auto done = export_chain(
        **store,
        {.from = Height{options.from}, .to = Height{options.to}},
        [&](const ExportedBlock& block) {
            last = block.block.height.value();
            vertices += block.vertices.size();
            return file.add(block);
        }
    );
    if (done) done = file.finish();
    if (!done) {
        file.abandon();
        return output.fail(done.error(), exit_code::failed);
    }
    std::string lines = "wrote heights " + std::to_string(options.from) + " to " +
                        std::to_string(last) + " with " + std::to_string(vertices) +
                        " vertices to " + options.file.string();
    if (options.to != 0 && last > options.to) {
        lines += "\nit ends where a certificate is kept, which proves all before it";
    }
    output.say(
        {{"ok", true},
         {"file", options.file.string()},
         {"from", options.from},
         {"to", last},
         {"vertices", vertices}},
        lines
    );
    return exit_code::done;
}

int command_export_verify(
    const std::filesystem::path& file,
    const std::filesystem::path& genesis_file,
    const Output& output
) {
    auto genesis = read_genesis(genesis_file);
    if (!genesis) return output.fail(genesis.error(), exit_code::failed);
    if (!std::filesystem::is_regular_file(file)) {
        return output.fail(
            {ErrorCode::not_found, file.string() + ": there is no such file"}, exit_code::failed
        );
    }
    const Roster roster{*genesis};
    Result<ExportFacts> facts = ExportFacts{};
    try {
        facts = check_file(file, roster);
    } catch (const nlohmann::json::exception& error) {
        facts = fail(ErrorCode::invalid, error.what());
    }
    if (!facts) {
        return output.fail(
            {ErrorCode::invalid, file.string() + ": " + facts.error().message}, exit_code::refuted
        );
    }
    output.say(
        {{"ok", true},
         {"from", facts->from.value()},
         {"to", facts->to.value()},
         {"vertices", facts->vertices},
         {"operations", facts->operations},
         {"signed_by", facts->signed_by},
         {"validators", roster.size()},
         {"mode", roster.mode() == QuorumMode::crash ? "crash" : "byzantine"},
         {"state_checked", facts->state_checked}},
        "the export holds: heights " + std::to_string(facts->from.value()) + " to " +
            std::to_string(facts->to.value()) + ", " + std::to_string(facts->vertices) +
            " vertices, " + std::to_string(facts->operations) + " operations\n" +
            std::to_string(facts->signed_by) + " of " + std::to_string(roster.size()) +
            " validators signed the last block" +
            (facts->state_checked
                 ? "\nexecuted again from the genesis, every named state came out"
                 : "\nit does not begin at height 1: the state was not executed again") +
            (roster.mode() == QuorumMode::crash ? "\ncrash: not proof against liars" : "")
    );
    return exit_code::done;
}

}  // namespace creto
