// Json: an agreed value: arguments, results, schemas.
//
// Why      Answers of several agents are compared, hashed and signed, so a value must have exactly
//          one text on every machine. General JSON libraries keep numbers as doubles and let a
//          repeated key win or lose.
// Holds    Numbers are exact decimals; the members of an object are sorted by the bytes of their
//          keys, each key once; strings are UTF-8. canonical() gives equal text for equal values
//          and different text for different ones.
// Source   RFC 8259; the canonical form follows RFC 8785 but keeps every digit, and sorts keys by
//          code points.
// Cost     An object of two small members is one allocation.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tools/decimal.hpp"

namespace creto {

class Json;
struct JsonMember;
using JsonArray = std::vector<Json>;

/// Members by key, ascending, each key once.
class JsonObject {
public:
    using ConstIterator = std::vector<JsonMember>::const_iterator;

    // Defined where a member's type is complete.
    JsonObject() noexcept;
    JsonObject(const JsonObject& other);
    JsonObject(JsonObject&& other) noexcept;
    JsonObject& operator=(const JsonObject& other);
    JsonObject& operator=(JsonObject&& other) noexcept;
    ~JsonObject();
    JsonObject(std::initializer_list<JsonMember> members);
    /// The members in any order; none when two have the same key.
    [[nodiscard]] static Result<JsonObject> from_members(std::vector<JsonMember> members);

    [[nodiscard]] const Json* find(std::string_view key) const;
    /// Adds the member, or replaces the value it had.
    void set(std::string key, Json value);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] const JsonMember& operator[](std::size_t index) const;
    [[nodiscard]] ConstIterator begin() const;
    [[nodiscard]] ConstIterator end() const;

private:
    friend class JsonParser;
    std::vector<JsonMember> members_;
};

class Json {
public:
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

    Json() = default;
    Json(const Json& other);
    Json(Json&&) noexcept = default;
    Json& operator=(const Json& other);
    Json& operator=(Json&&) noexcept = default;
    ~Json() = default;
    explicit Json(bool value) : data_{value} {}
    explicit Json(int value) : data_{Decimal{value}} {}
    explicit Json(std::int64_t value) : data_{Decimal{value}} {}
    explicit Json(Decimal value) : data_{std::move(value)} {}
    /// Requires: UTF-8.
    explicit Json(std::string value) : data_{std::move(value)} {}
    explicit Json(std::string_view value) : data_{std::string{value}} {}
    explicit Json(const char* value) : data_{std::string{value}} {}
    explicit Json(JsonArray value) : data_{std::move(value)} {}
    explicit Json(JsonObject value) : data_{std::move(value)} {}

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(data_.index()); }
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }

    // The value, or null when it is of another kind.
    [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&data_); }
    [[nodiscard]] const Decimal* number() const { return std::get_if<Decimal>(&data_); }
    [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&data_); }
    [[nodiscard]] const JsonArray* array() const { return std::get_if<JsonArray>(&data_); }
    [[nodiscard]] const JsonObject* object() const { return std::get_if<JsonObject>(&data_); }

    /// The member of an object; null when this is not an object or has no such member.
    [[nodiscard]] const Json* find(std::string_view key) const;
    /// The value that a JSON Pointer (RFC 6901) names; null when there is none.
    [[nodiscard]] const Json* at_pointer(std::string_view pointer) const;

    friend bool operator==(const Json& a, const Json& b);
    /// A total order, by kind and then by value; it means nothing beyond being the same everywhere.
    friend std::strong_ordering operator<=>(const Json& a, const Json& b);

private:
    friend class JsonParser;
    std::variant<std::monostate, bool, Decimal, std::string, JsonArray, JsonObject> data_;
};

struct JsonMember {
    std::string key;
    Json value;
    friend bool operator==(const JsonMember& a, const JsonMember& b);
};

/// The value's one text.
[[nodiscard]] std::string canonical(const Json& value);
void append_canonical(std::string& out, const Json& value);
/// `text` as a JSON string, with quotes. Requires: UTF-8.
void append_quoted(std::string& out, std::string_view text);

/// The word for a kind in messages.
[[nodiscard]] const char* to_string(Json::Kind kind);

/// One reference token of a JSON Pointer as it is written: ~ and / escaped.
[[nodiscard]] std::string pointer_token(std::string_view key);

/// How much there is to look at: one for each value, and one more for each 16 bytes of text.
[[nodiscard]] std::size_t weight(const Json& value);

inline JsonObject::JsonObject() noexcept = default;
inline JsonObject::JsonObject(JsonObject&& other) noexcept = default;
inline JsonObject& JsonObject::operator=(JsonObject&& other) noexcept = default;
inline JsonObject::~JsonObject() = default;
inline std::size_t JsonObject::size() const {
    return members_.size();
}
inline bool JsonObject::empty() const {
    return members_.empty();
}
inline const JsonMember& JsonObject::operator[](std::size_t index) const {
    return members_[index];
}
inline JsonObject::ConstIterator JsonObject::begin() const {
    return members_.begin();
}
inline JsonObject::ConstIterator JsonObject::end() const {
    return members_.end();
}

}  // namespace creto
