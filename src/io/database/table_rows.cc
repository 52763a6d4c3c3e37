#include "io/database/table_rows.h"

#include <deque>

namespace muster::io {
namespace {

constexpr size_t kPage = 2000;  // Rows in memory at once.
constexpr size_t kMostColumns = 100;

Json value_of(const soci::row& row, size_t column) {
  if (row.get_indicator(column) == soci::i_null) return nullptr;
  switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer:
      return row.get<int>(column);
    case soci::dt_long_long:
    case soci::dt_unsigned_long_long:
      return row.get<long long>(column);
    case soci::dt_double:
      return row.get<double>(column);
    default:
      return row.get<std::string>(column);
  }
}

Json json_of(const soci::row& row) {
  Json json = Json::object();
  for (size_t i = 0; i < row.size(); ++i) json[row.get_properties(i).get_name()] = value_of(row, i);
  return json;
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
}

// What a statement is given, for as long as it needs it.
class Values {
 public:
  // False: no column has such a value.
  [[nodiscard]] bool add(soci::details::prepare_temp_type& query, const Json& value) {
    if (value.is_string()) {
      query, soci::use(texts_.emplace_back(value.get<std::string>()));
    } else if (value.is_number_integer()) {
      query, soci::use(numbers_.emplace_back(value.get<long long>()));
    } else if (value.is_number_float()) {
      query, soci::use(doubles_.emplace_back(value.get<double>()));
    } else if (value.is_null()) {
      query, soci::use(doubles_.emplace_back(0), null_);
    } else {
      return false;
    }
    return true;
  }

 private:
  std::deque<std::string> texts_;
  std::deque<long long> numbers_;
  std::deque<double> doubles_;
  soci::indicator null_ = soci::i_null;
};

}  // namespace

Status visit_rows(soci::session& sql, const Table& table,
                  const std::function<Status(const Json&)>& take) {
  for (size_t from = 0;; from += kPage) {
    const soci::rowset<soci::row> rows =
        (sql.prepare << "SELECT * FROM " << table.name << " ORDER BY " << table.key << " LIMIT "
                     << kPage << " OFFSET " << from);
    size_t count = 0;
    for (const soci::row& row : rows) {
      ++count;
      MUSTER_TRY_STATUS(take(json_of(row)));
    }
    if (count < kPage) return {};
  }
}

Status insert_row(soci::session& sql, const Table& table, const Json& row) {
  const auto no_row = [&] {
    return fail(Code::kDataLoss, std::string("no row of table ") + table.name);
  };
  if (!row.is_object() || row.empty() || row.size() > kMostColumns) return no_row();
  std::string columns, places;
  for (const auto& [column, value] : row.items()) {
    if (!is_name(column)) return no_row();
    columns += (columns.empty() ? "" : ", ") + column;
    places += (places.empty() ? ":" : ", :") + column;
  }
  Values values;
  auto query = (sql.prepare << "INSERT INTO " << table.name << " (" << columns << ") VALUES ("
                            << places << ")");
  for (const auto& [column, value] : row.items()) {
    if (!values.add(query, value)) return no_row();
  }
  soci::statement statement(query);
  statement.execute(true);
  return {};
}

}  // namespace muster::io
