// Parameters: their bounds, their bytes, and what a roster and its link say of them.
#include "model/parameters.hpp"

#include <gtest/gtest.h>
#include <set>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "model/roster_link.hpp"

namespace creto {
namespace {

Genesis four_seats() {
    Genesis genesis;
    genesis.network = "parameters";
    genesis.epoch_blocks = 8;
    for (std::uint8_t i = 0; i < 4; ++i) {
        const std::array<std::uint8_t, 32> key{static_cast<std::uint8_t>(i + 1)};
        genesis.members.push_back({Seat{i}, PublicKey{key}, "agent-" + std::to_string(i)});
    }
    return genesis;
}

Operation setting(Parameter parameter, std::uint32_t value, std::uint32_t number) {
    Operation operation;
    operation.body = RosterOperation{
        .action = RosterOperation::Action::set, .parameter = {parameter, value, number}};
    return operation;
}

std::string wrong(const Operation& operation) {
    const auto form = well_formed(operation);
    return form ? std::string{} : form.error().message;
}

// [PARAM-BOUND.1]
TEST(Parameters, EachHasItsBoundsAndNothingOneOverThem) {
    const auto takes = [](Parameter parameter, std::uint32_t value) {
        const bool is_good = !refusal(parameter, value);
        Parameters all;
        value_of(all, parameter) = value;
        EXPECT_EQ(validate(all).has_value(), is_good) << to_string(parameter) << " " << value;
        const auto read = decode_exact<Parameters>(encode_bytes(all));
        EXPECT_EQ(read.has_value(), is_good) << to_string(parameter) << " " << value;
        if (is_good) {
            EXPECT_EQ(*read, all);
        }
        return is_good;
    };
    EXPECT_TRUE(takes(Parameter::term_views, 1));
    EXPECT_TRUE(takes(Parameter::term_views, 32));
    for (const std::uint32_t value : {0U, 3U, 33U, 64U})
        EXPECT_FALSE(takes(Parameter::term_views, value));
    for (const std::uint32_t value : {0U, 8U, 1'000'000U})
        EXPECT_TRUE(takes(Parameter::dead_after_reports, value));
    for (const std::uint32_t value : {1U, 7U, 1'000'001U})
        EXPECT_FALSE(takes(Parameter::dead_after_reports, value));
    for (const std::uint32_t value : {0U, 1U, 65'536U})
        EXPECT_TRUE(takes(Parameter::guest_operations, value));
    EXPECT_FALSE(takes(Parameter::guest_operations, 65'537));
    for (const std::uint32_t value : {1'024U, 65'536U, 1'048'576U})
        EXPECT_TRUE(takes(Parameter::guests_total, value));
    for (const std::uint32_t value : {0U, 1'023U, 1'048'577U})
        EXPECT_FALSE(takes(Parameter::guests_total, value));
    EXPECT_EQ(
        refusal(Parameter::term_views, 3), "a term of 3 views; it takes a power of two, up to 32"
    );
}

TEST(Parameters, AreFoundByTheirNames) {
    for (const Parameter parameter : all_parameters)
        EXPECT_EQ(parameter_named(to_string(parameter)), parameter);
    EXPECT_EQ(parameter_named("term_view"), std::nullopt);
    EXPECT_EQ(parameter_named(""), std::nullopt);
}

// What is as usual is not written, so that the ids of networks stay. [PARAM-BOUND.1]
TEST(Parameters, AGenesisSaysQuotasOnlyWhereThereAreAny) {
    Genesis genesis = four_seats();
    const ChainId usual = Roster{genesis}.chain();
    EXPECT_EQ(parameters_of(genesis), Parameters{});
    genesis.guest_operations = 100;
    EXPECT_TRUE(validate(genesis).has_value());
    EXPECT_EQ(decode_exact<Genesis>(encode_bytes(genesis)).value(), genesis);
    EXPECT_NE(Roster{genesis}.chain(), usual);
    EXPECT_EQ(Roster{genesis}.parameters().guest_operations, 100U);
    genesis.guests_total = 2'000;
    EXPECT_EQ(decode_exact<Genesis>(encode_bytes(genesis)).value(), genesis);
    genesis.guest_operations = 0;
    EXPECT_EQ(decode_exact<Genesis>(encode_bytes(genesis)).value(), genesis);
    genesis.guests_total = limits::guests_total_max + 1;
    EXPECT_FALSE(decode_exact<Genesis>(encode_bytes(genesis)).has_value()) << "one over";
    EXPECT_FALSE(validate(genesis).has_value());
    genesis.guests_total = limits::guests_total;
    genesis.guest_operations = limits::guest_operations_max + 1;
    EXPECT_FALSE(decode_exact<Genesis>(encode_bytes(genesis)).has_value()) << "one over";
    genesis.guest_operations = 1;
    genesis.epoch_blocks = 0;
    const auto endless = validate(genesis);
    ASSERT_FALSE(endless.has_value());
    EXPECT_NE(endless.error().message.find("takes epochs"), std::string::npos);
    genesis = four_seats();
    EXPECT_EQ(Roster{genesis}.chain(), usual);
    // Said, though it is as usual: another form of the same genesis.
    genesis.guest_operations = 1;
    Bytes said = encode_bytes(genesis);
    said[said.size() - 4] = 0;
    EXPECT_FALSE(decode_exact<Genesis>(said).has_value());
}

// [PARAM-BOUND.1] [PARAM-ONCE.1]
TEST(Parameters, AChangeHasOneFormAndComesBackFromItsBytes) {
    const Operation good = setting(Parameter::guest_operations, 7, 2);
    EXPECT_EQ(wrong(good), "");
    EXPECT_EQ(decode_exact<Operation>(encode_bytes(good)).value(), good);
    EXPECT_EQ(
        wrong(setting(Parameter::term_views, 3, 1)),
        "term_views: a term of 3 views; it takes a power of two, up to 32"
    );
    EXPECT_EQ(
        wrong(setting(Parameter::term_views, 2, 0)),
        "roster: changes of a parameter are numbered from 1 on"
    );
    const auto changed = [&](const auto& change) {
        Operation operation = good;
        change(std::get<RosterOperation>(operation.body));
        return wrong(operation);
    };
    const std::string unused = "roster: what an action does not use is empty";
    EXPECT_EQ(changed([](RosterOperation& o) { o.seat = Seat{1}; }), unused);
    EXPECT_EQ(changed([](RosterOperation& o) { o.name = "x"; }), unused);
    EXPECT_EQ(changed([](RosterOperation& o) { o.possession = Signature{}; }), unused);
    EXPECT_EQ(changed([](RosterOperation& o) { o.key = four_seats().members[0].key; }), unused);
    Operation remove;
    remove.body = RosterOperation{
        .action = RosterOperation::Action::remove,
        .seat = Seat{1},
        .parameter = {Parameter::term_views, 2, 1}};
    EXPECT_EQ(wrong(remove), unused) << "and the other way round";
    EXPECT_EQ(
        changed([](RosterOperation& o) {
            o.approvals = {{1, {}}, {0, {}}};
        }).find("roster: app"),
        0U
    );
    Bytes unknown = encode_bytes(ParameterChange{Parameter::guests_total, 2'000, 1});
    EXPECT_TRUE(decode_exact<ParameterChange>(unknown).has_value());
    unknown[0] = all_parameters.size();
    EXPECT_FALSE(decode_exact<ParameterChange>(unknown).has_value()) << "one over";
}

// [PARAM-AUTHORITY.1] [PARAM-ONCE.1]
TEST(Parameters, OperatorsSignForOneParameterOneValueAndOneTime) {
    const auto bytes = [](Parameter parameter, std::uint32_t value, std::uint32_t number) {
        return approval_bytes(std::get<RosterOperation>(setting(parameter, value, number).body));
    };
    const Bytes signed_for = bytes(Parameter::guest_operations, 8, 1);
    EXPECT_NE(bytes(Parameter::guests_total, 8, 1), signed_for);
    EXPECT_NE(bytes(Parameter::guest_operations, 9, 1), signed_for);
    EXPECT_NE(bytes(Parameter::guest_operations, 8, 2), signed_for);
    EXPECT_EQ(bytes(Parameter::guest_operations, 8, 1), signed_for);
}

Roster later(const Roster& first, std::uint32_t dormant, std::optional<Parameters> parameters) {
    return {
        first,
        Epoch{3},
        {.members = first.members(),
         .known = first.known(),
         .dormant = dormant,
         .parameters = std::move(parameters)}};
}

// [PARAM-DIGEST.1]
TEST(Parameters, TheDigestOfARosterBindsThoseThatAreNotOfTheGenesis) {
    Genesis genesis = four_seats();
    genesis.term_views = 4;
    const Roster first{genesis};
    EXPECT_EQ(first.changed_parameters(), std::nullopt);
    EXPECT_EQ(later(first, 0, {}).digest(), first.digest());
    EXPECT_EQ(later(first, 0, {}).term_views(), 4U) << "those of the genesis";
    EXPECT_EQ(later(first, 0, parameters_of(genesis)).digest(), first.digest());
    Writer as_before;
    encode_list(as_before, first.members());
    EXPECT_EQ(first.digest(), hash(HashDomain::roster, as_before.view()));
    as_before.uvarint(2);
    EXPECT_EQ(later(first, 2, {}).digest(), hash(HashDomain::roster, as_before.view()));

    std::set<Digest> digests{first.digest(), later(first, 2, {}).digest()};
    for (const Parameter parameter : all_parameters) {
        Parameters other = parameters_of(genesis);
        value_of(other, parameter) = parameter == Parameter::guests_total ? 2'048 : 8;
        const Roster roster = later(first, 0, other);
        EXPECT_EQ(roster.parameters(), other);
        EXPECT_EQ(roster.changed_parameters(), other);
        EXPECT_EQ(roster.in_epoch(Epoch{9}).digest(), roster.digest());
        digests.insert(roster.digest());
        digests.insert(later(first, 2, other).digest());
    }
    EXPECT_EQ(digests.size(), 2U + 2 * all_parameters.size());
}

// [PARAM-DIGEST.1]
TEST(Parameters, ALinkSaysThemWhereTheyAreOthers) {
    const Roster first{four_seats()};
    RosterLink link;
    link.members = first.members();
    const Bytes usual = encode_bytes(link);
    EXPECT_EQ(decode_exact<RosterLink>(usual).value(), link);
    link.parameters = Parameters{.term_views = 8};
    EXPECT_EQ(decode_exact<RosterLink>(encode_bytes(link)).value(), link);
    link.dormant = 1;
    EXPECT_EQ(decode_exact<RosterLink>(encode_bytes(link)).value(), link);
    link.parameters->term_views = 3;
    EXPECT_FALSE(decode_exact<RosterLink>(encode_bytes(link)).has_value());
}

}  // namespace
}  // namespace creto
