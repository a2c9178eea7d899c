#include "tools/json.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/assert.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

bool key_before(const JsonMember& a, const JsonMember& b) {
    return a.key < b.key;
}

/// The token with ~1 and ~0 read back; none when a ~ stands for nothing.
std::optional<std::string> read_token(std::string_view token) {
    std::string key;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] != '~') {
            key.push_back(token[i]);
        } else if (++i < token.size() && (token[i] == '0' || token[i] == '1')) {
            key.push_back(token[i] == '0' ? '~' : '/');
        } else {
            return std::nullopt;
        }
    }
    return key;
}

/// An array index as RFC 6901 writes it: no sign, no leading zero.
std::optional<std::size_t> read_index(std::string_view token) {
    if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) {
        return std::nullopt;
    }
    std::size_t index = 0;
    for (const char c : token) {
        if (c < '0' || c > '9') return std::nullopt;
        index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return index;
}

}  // namespace

JsonObject::JsonObject(std::initializer_list<JsonMember> members) {
    auto object = from_members(std::vector<JsonMember>{members});
    CRETO_ASSERT(object.has_value());
    *this = std::move(*object);
}

Result<JsonObject> JsonObject::from_members(std::vector<JsonMember> members) {
    if (!std::is_sorted(members.begin(), members.end(), key_before)) {
        std::sort(members.begin(), members.end(), key_before);
    }
    const auto twice = std::adjacent_find(
        members.begin(),
        members.end(),
        [](const JsonMember& a, const JsonMember& b) { return a.key == b.key; }
    );
    if (twice != members.end()) {
        return fail(
            ErrorCode::invalid, "the key \"" + utf8::clipped(twice->key, 64) + "\" occurs twice"
        );
    }
    JsonObject object;
    object.members_ = std::move(members);
    return object;
}

const Json* JsonObject::find(std::string_view key) const {
    constexpr std::size_t linear_max = 8;  // Below this a scan is faster than a search.
    if (members_.size() <= linear_max) {
        for (const JsonMember& member : members_) {
            if (member.key == key) return &member.value;
        }
        return nullptr;
    }
    const auto it = std::lower_bound(
        members_.begin(),
        members_.end(),
        key,
        [](const JsonMember& member, std::string_view k) { return member.key < k; }
    );
    return it != members_.end() && it->key == key ? &it->value : nullptr;
}

void JsonObject::set(std::string key, Json value) {
    const auto it = std::lower_bound(
        members_.begin(),
        members_.end(),
        key,
        [](const JsonMember& member, const std::string& k) { return member.key < k; }
    );
    if (it != members_.end() && it->key == key) {
        it->value = std::move(value);
    } else {
        members_.insert(it, JsonMember{.key = std::move(key), .value = std::move(value)});
    }
}

const Json* Json::find(std::string_view key) const {
    const JsonObject* members = object();
    return members ? members->find(key) : nullptr;
}

const Json* Json::at_pointer(std::string_view pointer) const {
    if (!pointer.empty() && pointer.front() != '/') return nullptr;
    const Json* value = this;
    while (value && !pointer.empty()) {
        pointer.remove_prefix(1);
        const std::size_t end = std::min(pointer.find('/'), pointer.size());
        const std::string_view token = pointer.substr(0, end);
        pointer.remove_prefix(end);
        if (const JsonArray* items = value->array()) {
            const auto index = read_index(token);
            value = index && *index < items->size() ? &(*items)[*index] : nullptr;
        } else {
            const auto key = read_token(token);
            value = key ? value->find(*key) : nullptr;
        }
    }
    return value;
}

// Values are as deep as whoever built them made them; those that come from outside are bounded by
// JsonLimits::depth_max. NOLINTBEGIN(misc-no-recursion)

// Copies and comparisons go item by item in our own code, so that the recursion is in plain sight.

JsonObject::JsonObject(const JsonObject& other) {
    *this = other;
}

JsonObject& JsonObject::operator=(const JsonObject& other) {
    if (this == &other) return *this;
    std::vector<JsonMember> members(other.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        members[i].key = other[i].key;
        members[i].value = other[i].value;
    }
    members_ = std::move(members);
    return *this;
}

Json::Json(const Json& other) {
    *this = other;
}

Json& Json::operator=(const Json& other) {
    if (this == &other) return *this;
    // Built aside first: `other` may be a part of this value.
    Json copy;
    switch (other.kind()) {
        case Kind::null:
            break;
        case Kind::boolean:
            copy.data_ = *other.boolean();
            break;
        case Kind::number:
            copy.data_ = *other.number();
            break;
        case Kind::string:
            copy.data_ = *other.string();
            break;
        case Kind::array: {
            const JsonArray& from = *other.array();
            auto& to = copy.data_.emplace<JsonArray>(from.size());
            for (std::size_t i = 0; i < from.size(); ++i)
                to[i] = from[i];
            break;
        }
        case Kind::object:
            copy.data_.emplace<JsonObject>() = *other.object();
            break;
    }
    data_ = std::move(copy.data_);
    return *this;
}

bool operator==(const JsonMember& a, const JsonMember& b) {
    return a.key == b.key && a.value == b.value;
}

namespace {

template <class List>
bool same_items(const List& a, const List& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(a[i] == b[i])) return false;
    }
    return true;
}

std::strong_ordering order_of_items(const JsonArray& a, const JsonArray& b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        if (const auto order = a[i] <=> b[i]; order != 0) return order;
    }
    return a.size() <=> b.size();
}

std::strong_ordering order_of_members(const JsonObject& a, const JsonObject& b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        if (const auto order = a[i].key <=> b[i].key; order != 0) return order;
        if (const auto order = a[i].value <=> b[i].value; order != 0) return order;
    }
    return a.size() <=> b.size();
}

}  // namespace

bool operator==(const Json& a, const Json& b) {
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case Json::Kind::null:
            return true;
        case Json::Kind::boolean:
            return *a.boolean() == *b.boolean();
        case Json::Kind::number:
            return *a.number() == *b.number();
        case Json::Kind::string:
            return *a.string() == *b.string();
        case Json::Kind::array:
            return same_items(*a.array(), *b.array());
        case Json::Kind::object:
            return same_items(*a.object(), *b.object());
    }
    return false;
}

std::strong_ordering operator<=>(const Json& a, const Json& b) {
    if (a.kind() != b.kind()) return a.kind() <=> b.kind();
    switch (a.kind()) {
        case Json::Kind::null:
            break;
        case Json::Kind::boolean:
            return *a.boolean() <=> *b.boolean();
        case Json::Kind::number:
            return *a.number() <=> *b.number();
        case Json::Kind::string:
            return *a.string() <=> *b.string();
        case Json::Kind::array:
            return order_of_items(*a.array(), *b.array());
        case Json::Kind::object:
            return order_of_members(*a.object(), *b.object());
    }
    return std::strong_ordering::equal;
}

void append_canonical(std::string& out, const Json& value) {
    switch (value.kind()) {
        case Json::Kind::null:
            out.append("null");
            return;
        case Json::Kind::boolean:
            out.append(*value.boolean() ? "true" : "false");
            return;
        case Json::Kind::number:
            value.number()->append_text(out);
            return;
        case Json::Kind::string:
            append_quoted(out, *value.string());
            return;
        case Json::Kind::array: {
            char before = '[';
            for (const Json& item : *value.array()) {
                out.push_back(std::exchange(before, ','));
                append_canonical(out, item);
            }
            out.append(before == '[' ? "[]" : "]");
            return;
        }
        case Json::Kind::object: {
            char before = '{';
            for (const JsonMember& member : *value.object()) {
                out.push_back(std::exchange(before, ','));
                append_quoted(out, member.key);
                out.push_back(':');
                append_canonical(out, member.value);
            }
            out.append(before == '{' ? "{}" : "}");
            return;
        }
    }
}

std::size_t weight(const Json& value) {
    constexpr std::size_t unit = 16;
    std::size_t sum = 1;
    if (const std::string* text = value.string()) {
        sum += text->size() / unit;
    } else if (const Decimal* number = value.number()) {
        if (number->is_large()) sum += Decimal::digits_max / unit;
    } else if (const JsonArray* items = value.array()) {
        for (const Json& item : *items)
            sum += weight(item);
    } else if (const JsonObject* members = value.object()) {
        for (const JsonMember& member : *members)
            sum += member.key.size() / unit + weight(member.value);
    }
    return sum;
}

// NOLINTEND(misc-no-recursion)

std::string canonical(const Json& value) {
    std::string out;
    append_canonical(out, value);
    return out;
}

void append_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain = 0;  // Start of the run that needs no escape.
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text.substr(plain, i - plain));
        plain = i + 1;
        out.push_back('\\');
        constexpr std::string_view named = "\"\\\b\f\n\r\t";
        constexpr std::string_view letters = "\"\\bfnrt";
        if (const auto at = named.find(text[i]); at != std::string_view::npos) {
            out.push_back(letters[at]);
        } else {
            out.append("u00").push_back(hex[c >> 4U]);
            out.push_back(hex[c & 0xFU]);
        }
    }
    out.append(text.substr(plain)).push_back('"');
}

const char* to_string(Json::Kind kind) {
    constexpr std::array words{"null", "boolean", "number", "string", "array", "object"};
    return words[static_cast<std::size_t>(kind)];
}

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char c : key) {
        if (c == '~') {
            token.append("~0");
        } else if (c == '/') {
            token.append("~1");
        } else {
            token.push_back(c);
        }
    }
    return token;
}

}  // namespace creto
