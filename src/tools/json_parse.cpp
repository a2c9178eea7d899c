#include "tools/json_parse.hpp"

#include <algorithm>
#include <array>

#include "tools/utf8.hpp"

namespace creto {

/// One pass over one text. Every step returns false once something is wrong, with `error_` set.
class JsonParser {
public:
    JsonParser(std::string_view text, const JsonLimits& limits)
        : begin_{text.data()},
          at_{text.data()},
          end_{text.data() + text.size()},
          limits_{limits},
          values_left_{limits.values_max} {}

    Result<Json> run() {
        Json root;
        skip_space();
        if (!value(root, 0)) return tl::unexpected<Error>(std::move(error_));
        skip_space();
        if (at_ != end_) {
            wrong("text follows the value");
            return tl::unexpected<Error>(std::move(error_));
        }
        return root;
    }

private:
    bool refuse(ErrorCode code, std::string_view what) {
        error_ = {
            .code = code,
            .message = "JSON: " + std::string{what} + " at byte " + std::to_string(at_ - begin_)};
        return false;
    }
    bool wrong(std::string_view what) { return refuse(ErrorCode::invalid, what); }

    void skip_space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r'))
            ++at_;
    }
    /// Takes `c` if it comes next.
    bool take(char c) {
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }

    bool value(Json& out, std::size_t depth);
    bool word(std::string_view text);
    bool number(Json& out);
    bool string(std::string& out);
    bool escape(std::string& out);
    bool hex4(char32_t& code);
    bool array(Json& out, std::size_t depth);
    bool object(Json& out, std::size_t depth);
    bool member(JsonObject& out, std::size_t depth);
    bool order_members(JsonObject& object);

    const char* begin_;
    const char* at_;
    const char* end_;
    const JsonLimits& limits_;
    std::size_t values_left_;
    Error error_;
};

// Recursion is bounded by depth_max. NOLINTBEGIN(misc-no-recursion)

bool JsonParser::value(Json& out, std::size_t depth) {
    if (at_ == end_) return wrong("the text ends where a value is expected");
    if (values_left_ == 0) {
        return refuse(
            ErrorCode::limit, "more than " + std::to_string(limits_.values_max) + " values"
        );
    }
    --values_left_;
    switch (*at_) {
        case '{':
            return object(out, depth + 1);
        case '[':
            return array(out, depth + 1);
        case '"':
            return string(out.data_.emplace<std::string>());
        case 't':
            out.data_ = true;
            return word("true");
        case 'f':
            out.data_ = false;
            return word("false");
        case 'n':
            return word("null");
        default:
            return number(out);
    }
}

bool JsonParser::array(Json& out, std::size_t depth) {
    if (depth > limits_.depth_max) {
        return refuse(ErrorCode::limit, "nested deeper than " + std::to_string(limits_.depth_max));
    }
    ++at_;
    JsonArray& items = out.data_.emplace<JsonArray>();
    skip_space();
    if (take(']')) return true;
    while (true) {
        if (!value(items.emplace_back(), depth)) return false;
        skip_space();
        if (take(']')) return true;
        if (!take(',')) return wrong("expected , or ]");
        skip_space();
    }
}

bool JsonParser::object(Json& out, std::size_t depth) {
    if (depth > limits_.depth_max) {
        return refuse(ErrorCode::limit, "nested deeper than " + std::to_string(limits_.depth_max));
    }
    ++at_;
    JsonObject& object = out.data_.emplace<JsonObject>();
    skip_space();
    if (take('}')) return true;
    constexpr std::size_t usual_members = 4;
    object.members_.reserve(usual_members);
    while (true) {
        if (!member(object, depth)) return false;
        skip_space();
        if (take('}')) return order_members(object);
        if (!take(',')) return wrong("expected , or }");
        skip_space();
    }
}

bool JsonParser::member(JsonObject& out, std::size_t depth) {
    if (at_ == end_ || *at_ != '"') return wrong("expected a key in quotes");
    JsonMember& member = out.members_.emplace_back();
    if (!string(member.key)) return false;
    skip_space();
    if (!take(':')) return wrong("expected :");
    skip_space();
    return value(member.value, depth);
}

// NOLINTEND(misc-no-recursion)

bool JsonParser::order_members(JsonObject& object) {
    const auto not_ascending = [](const JsonMember& a, const JsonMember& b) {
        return !(a.key < b.key);
    };
    auto& members = object.members_;
    if (std::adjacent_find(members.begin(), members.end(), not_ascending) == members.end()) {
        return true;
    }
    auto sorted = JsonObject::from_members(std::move(members));
    if (!sorted) return wrong(sorted.error().message + " in the object that ends");
    object = std::move(*sorted);
    return true;
}

bool JsonParser::word(std::string_view text) {
    if (!std::string_view{at_, end_}.starts_with(text)) return wrong("expected a value");
    at_ += text.size();
    return true;
}

bool JsonParser::number(Json& out) {
    const char* start = at_;
    // Almost every number is a short integer; the rest goes through Decimal's own reader.
    const bool negative = take('-');
    const char* digits = at_;
    std::int64_t value = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' && at_ - digits < 18)
        value = value * 10 + (*at_++ - '0');
    constexpr std::string_view more = ".eE0123456789";
    const bool plain = at_ == end_ || more.find(*at_) == std::string_view::npos;
    if (plain && at_ != digits && (*digits != '0' || at_ - digits == 1)) {
        out.data_.emplace<Decimal>(negative ? -value : value);
        return true;
    }
    constexpr std::string_view number_characters = "+-.eE0123456789";
    while (at_ != end_ && number_characters.find(*at_) != std::string_view::npos)
        ++at_;
    auto parsed = Decimal::parse({start, at_});
    if (parsed) {
        out.data_.emplace<Decimal>(std::move(*parsed));
        return true;
    }
    const bool nothing = at_ == start;
    at_ = start;
    return refuse(parsed.error().code, nothing ? "expected a value" : parsed.error().message);
}

bool JsonParser::string(std::string& out) {
    ++at_;
    while (true) {
        const char* plain = at_;
        while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x20 && *at_ != '"' &&
               *at_ != '\\' && static_cast<unsigned char>(*at_) < 0x80)
            ++at_;
        out.append(plain, at_);
        if (at_ == end_) return wrong("the text ends inside a string");
        if (take('"')) return true;
        if (take('\\')) {
            if (!escape(out)) return false;
        } else if (static_cast<unsigned char>(*at_) < 0x20) {
            return wrong("control character in a string");
        } else {
            const std::string_view rest{at_, end_};
            std::size_t size = 0;
            if (utf8::next(rest, size) == utf8::bad) return wrong("bytes that are not UTF-8");
            out.append(at_, size);
            at_ += size;
        }
    }
}

bool JsonParser::escape(std::string& out) {
    if (at_ == end_) return wrong("the text ends inside a string");
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (const auto index = letters.find(*at_); index != std::string_view::npos) {
        out.push_back(meanings[index]);
        ++at_;
        return true;
    }
    char32_t code = 0;
    if (!take('u')) return wrong("unknown escape");
    if (!hex4(code)) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
        char32_t low = 0;
        if (!take('\\') || !take('u')) return wrong("lone surrogate");
        if (!hex4(low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return wrong("lone surrogate");
        code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
        return wrong("lone surrogate");
    }
    utf8::append(out, code);
    return true;
}

bool JsonParser::hex4(char32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto digit = at_ == end_ ? std::string_view::npos
                           : (*at_ >= 'A' && *at_ <= 'F')
                               ? static_cast<std::size_t>(*at_ - 'A' + 10)
                               : digits.find(*at_);
        if (digit == std::string_view::npos) return wrong("expected four hexadecimal digits");
        code = code * 16 + static_cast<char32_t>(digit);
        ++at_;
    }
    return true;
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return fail(
            ErrorCode::limit,
            "JSON: " + std::to_string(text.size()) + " bytes, at most " +
                std::to_string(limits.bytes_max) + " allowed"
        );
    }
    return JsonParser{text, limits}.run();
}

}  // namespace creto
