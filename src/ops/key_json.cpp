#include "ops/key_json.hpp"

#include <algorithm>

namespace creto {

namespace {

struct Write {
    std::string action;
    std::string kind;
};

/// None: the two do not go together.
std::optional<CrdtOperation::Action> causal_action(const Write& write) {
    using Action = CrdtOperation::Action;
    struct Row {
        const char* action;
        const char* kind;
        Action means;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"set", "", Action::register_set},
             {"set", "values", Action::register_set},
             {"set", "last", Action::last_set},
             {"add", "", Action::counter_add},
             {"add", "counter", Action::counter_add},
             {"add", "set", Action::set_add},
             {"append", "", Action::list_append},
             {"append", "list", Action::list_append},
             {"remove", "set", Action::set_remove}}) {
        if (write.action == row.action && write.kind == row.kind) return row.means;
    }
    return std::nullopt;
}

std::optional<KeyOperation::Action> final_action(const Write& write) {
    if (!write.kind.empty()) return std::nullopt;
    if (write.action == "set") return KeyOperation::Action::set;
    if (write.action == "add") return KeyOperation::Action::add;
    if (write.action == "remove") return KeyOperation::Action::remove;
    return std::nullopt;
}

}  // namespace

CommandBody key_write(Fields& f) {
    const std::string key = f.text("key");
    const Write write{f.text("action", "set"), f.text("kind")};
    std::vector<std::string> path = f.texts("path");
    const std::int64_t amount = f.integer("amount");
    Bytes value = f.bytes("value");
    const Duration timeout = f.timeout(Duration::from_s(30));
    if (!key.starts_with("causal/")) {
        const auto action = final_action(write);
        if (!action) f.refuse("\"action\" must be set, add or remove, and \"kind\" is for causal/");
        if (!path.empty()) f.refuse("only keys under causal/ have fields");
        return Submit{
            KeyOperation{action.value_or(KeyOperation::Action::set), key, std::move(value), amount},
            Reading::final,
            timeout};
    }
    if (write.action == "remove" && write.kind.empty())
        return RemoveCausal{key, std::move(path), timeout};
    const auto action = causal_action(write);
    if (!action) {
        f.refuse(
            "\"action\" must be set (kind values or last), add (kind counter or set), append (kind "
            "list) or remove (kind set, or none)"
        );
    }
    return Submit{
        CrdtOperation{
            .action = action.value_or(CrdtOperation::Action::register_set),
            .key = key,
            .amount = amount,
            .value = std::move(value),
            .path = std::move(path)},
        Reading::causal,
        timeout};
}

CommandBody key_read(Fields& f) {
    ReadKey out{.key = f.text("key"), .path = f.texts("path")};
    out.range.from = f.number("from", 0);
    out.range.count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(f.number("count", limits::read_items_max), limits::read_items_max)
    );
    if (const std::string text = f.text("session"); !text.empty()) {
        if (auto session = parse_session(text)) {
            out.session = *session;
        } else {
            f.refuse(session.error().message);
        }
    }
    out.timeout = f.timeout(out.timeout);
    return out;
}

JsonDoc reading_json(const KeyReply& r) {
    JsonDoc out{{"found", r.found}, {"values", JsonDoc::array()}};
    JsonDoc kinds = JsonDoc::array();
    const auto list = [&](const char* name, const char* kind, const std::vector<Bytes>& values) {
        if (values.empty()) return;
        out[name] = JsonDoc::array();
        for (const Bytes& value : values)
            out[name].push_back(bytes_json(value));
        kinds.push_back(kind);
    };
    list("values", "values", r.values);
    if (r.counter) {
        out["counter"] = *r.counter;
        kinds.push_back("counter");
    }
    if (r.last) {
        out["last"] = bytes_json(*r.last);
        kinds.push_back("last");
    }
    list("elements", "set", r.elements);
    list("items", "list", r.items);
    if (!r.fields.empty()) {
        out["fields"] = r.fields;
        kinds.push_back("map");
    }
    if (kinds.size() > 1) out["kinds"] = std::move(kinds);
    if (r.more) out["more"] = true;
    out["height"] = r.height.value();
    return out;
}

}  // namespace creto
