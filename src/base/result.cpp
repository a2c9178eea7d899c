#include "base/result.hpp"

namespace creto {

const char* to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
            return "invalid";
        case ErrorCode::not_found:
            return "not_found";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::timeout:
            return "timeout";
        case ErrorCode::limit:
            return "limit";
        case ErrorCode::denied:
            return "denied";
        case ErrorCode::corrupt:
            return "corrupt";
        case ErrorCode::io:
            return "io";
        case ErrorCode::conflict:
            return "conflict";
        case ErrorCode::cancelled:
            return "cancelled";
    }
    return "unknown";
}

}  // namespace creto
