// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "verify/key_compare.hpp"
#include "verify/row_reader.hpp"
#include "verify/verify_fixture_for_tests.hpp"

namespace reseal::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* all_types =
    "CREATE TABLE types (id INT PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT UNSIGNED,"
    " i INT, bi BIGINT, bu BIGINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL, de DECIMAL(65,30), f FLOAT, fd FLOAT(7,2),"
    " d DOUBLE, b1 BIT(1), b64 BIT(64), da DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, t TIME(6), y YEAR,"
    " c CHAR(10), v VARCHAR(100), vb VARBINARY(100), bn BINARY(8), tt TINYTEXT, tx TEXT, lb LONGBLOB,"
    " l1 VARCHAR(20) CHARACTER SET latin1, gb VARCHAR(20) CHARACTER SET gbk, sj CHAR(20) CHARACTER SET sjis,"
    " u16 VARCHAR(20) CHARACTER SET utf16, u32 TEXT CHARACTER SET utf32, uc CHAR(5) CHARACTER SET ucs2,"
    " ci VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci, bin VARCHAR(20) COLLATE utf8mb4_bin,"
    " e ENUM('a','b','c'), s SET('x','y','z'), j JSON, g GEOMETRY, p POINT SRID 4326, ve VECTOR(3),"
    " gv INT GENERATED ALWAYS AS (i+1) VIRTUAL, gs VARCHAR(40) GENERATED ALWAYS AS (CONCAT(v,'!')) STORED,"
    " inv INT INVISIBLE DEFAULT 7)";
constexpr const char* all_values =
    "INSERT INTO types "
    "(id,ti,tu,si,mi,i,bi,bu,z,de,f,fd,d,b1,b64,da,dt,ts,t,y,c,v,vb,bn,tt,tx,lb,l1,gb,sj,u16,u32,uc,ci,"
    "bin,e,s,j,g,p,ve,inv) VALUES"
    " (1,-128,255,-32768,16777215,-2147483648,-9223372036854775808,18446744073709551615,442,"
    "-99999999999999999999999999999999999.999999999999999999999999999999,1.17549435e-38,12345.67,5e-324,b'1',"
    "0xFFFFFFFFFFFFFFFF,'0000-00-00','9999-12-31 23:59:59.999999','2038-01-19 03:14:07.999999','-838:59:58.999999',"
    "2155,'a ','a ',x'0000',x'aabb',' ','text',REPEAT('x',70000),_latin1 X'FF',_gbk X'BF5C',_sjis X'835C','é','😀','é',"
    "'A','A',3,7,'{\"a\": [1, 2.5, null, {\"b\": \"c\"}]}',ST_GeomFromText('LINESTRING(0 0,1 1)'),"
    "ST_GeomFromText('POINT(1 2)',4326),TO_VECTOR('[1,2,3]'),1),"
    " (2,0,0,0,0,0,0,0,0,0,-0e0,0,-0e0,b'0',0,'2016-10-00','2016-00-28 15:30:42','0000-00-00','-00:00:00.000001',0,"
    "'','','','','','','','','','','','','','','',0,0,'[]',ST_GeomFromText('POINT(1 1)'),NULL,NULL,NULL),"
    " (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,"
    "NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)";

TEST_F(VerifyServer, equal_tables_of_all_types_are_equal) {
  on_both(all_types);
  on_both(all_values);
  const auto report = quiet();
  EXPECT_TRUE(report.equal()) << ::testing::PrintToString(named(report.differences));
  EXPECT_EQ(report.rows, 3U);
  EXPECT_EQ(report.tables, 1U);
  EXPECT_EQ(report.digest, quiet().digest);
}

struct Planted {
  const char* name;
  const char* set;  ///< assignment on the target that must be seen
};

// One column at a time, to a value that a lesser comparison takes for equal.
TEST_F(VerifyServer, sees_every_column_change_by_itself) {
  on_both(all_types);
  on_both(all_values);
  const Planted plants[] = {
      {"an integer", "ti=-127 WHERE id=1"},
      {"NULL against 0", "i=NULL WHERE id=2"},
      {"the lowest bit of a 64-bit integer", "bu=18446744073709551614 WHERE id=1"},
      {"the last digit of a decimal", "de=de+0.000000000000000000000000000001 WHERE id=1"},
      {"-0.0 against 0.0 in FLOAT", "f=0 WHERE id=2"},
      {"-0.0 against 0.0 in DOUBLE", "d=0 WHERE id=2"},
      {"a denormal", "d=1e-323 WHERE id=1"},
      {"one bit of 64", "b64=0xFFFFFFFFFFFFFFFE WHERE id=1"},
      {"a microsecond", "dt='9999-12-31 23:59:59.999998' WHERE id=1"},
      {"a zero timestamp", "ts='1970-01-01 00:00:01' WHERE id=2"},
      {"the sign of a time", "t='00:00:00.000001' WHERE id=2"},
      {"year 0 against 2000", "y=2000 WHERE id=2"},
      {"a trailing space", "v='a' WHERE id=1"},
      {"NULL against ''", "v=NULL WHERE id=2"},
      {"'NULL' against NULL", "c='NULL' WHERE id=3"},
      {"'N' against NULL", "c='N' WHERE id=3"},
      {"a trailing zero byte of VARBINARY", "vb=x'00' WHERE id=1"},
      {"NULL against '' in LONGBLOB", "lb=NULL WHERE id=2"},
      {"'N' against NULL in LONGBLOB", "lb='N' WHERE id=3"},
      {"the last byte of a blob", "lb=CONCAT(REPEAT('x',69999),'y') WHERE id=1"},
      {"latin1", "l1=_latin1 X'FE' WHERE id=1"},
      {"gbk with a backslash byte", "gb=_gbk X'C15C' WHERE id=1"},
      {"utf16", "u16='è' WHERE id=1"},
      {"utf32 text", "u32='😁' WHERE id=1"},
      {"'a' against 'A' under a case-insensitive collation", "ci='a' WHERE id=1"},
      {"ENUM", "e=2 WHERE id=1"},
      {"ENUM '' against NULL", "e=NULL WHERE id=2"},
      {"SET", "s=3 WHERE id=1"},
      {"SRID of a geometry", "g=ST_GeomFromText('LINESTRING(0 0,1 1)',3857) WHERE id=1"},
      {"vector", "ve=TO_VECTOR('[1,2,4]') WHERE id=1"},
      {"an invisible column", "inv=2 WHERE id=1"},
      {"values moved from one column to the next", "c='', v='a ' WHERE id=1"},
      {"JSON null against SQL NULL", "j='null' WHERE id=3"},
  };
  for (const auto& plant : plants) {
    SCOPED_TRACE(plant.name);
    target_.execute(std::string("UPDATE types SET ") + plant.set);
    EXPECT_THAT(found(), ElementsAre("types differs"));
    target_.execute("DELETE FROM types");
    target_.execute(all_values);
  }
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(VerifyServer, sees_json_types_that_share_one_text) {
  on_both("CREATE TABLE docs (id INT PRIMARY KEY, j JSON)");
  struct Twins {
    const char* name;
    const char* source;
    const char* target;
  };
  const Twins twins[] = {
      {"DECIMAL and DOUBLE", "JSON_OBJECT('a', CAST(1.5 AS DECIMAL(2,1)))", "JSON_OBJECT('a', 1.5e0)"},
      {"DECIMAL and DOUBLE in a list", "JSON_ARRAY(1, JSON_ARRAY(CAST(1.5 AS DECIMAL(2,1))))", "'[1, [1.5]]'"},
      {"DECIMAL and DOUBLE at the root", "CAST(CAST(1.5 AS DECIMAL(2,1)) AS JSON)", "'1.5'"},
      {"UNSIGNED and INTEGER", "JSON_OBJECT('a', CAST(5 AS UNSIGNED))", "'{\"a\": 5}'"},
      {"UNSIGNED and INTEGER at the root", "CAST(CAST(5 AS UNSIGNED) AS JSON)", "'5'"},
      {"DECIMAL and INTEGER", "JSON_ARRAY(CAST(5 AS DECIMAL(3,0)))", "'[5]'"},
      {"DATE and STRING", "JSON_OBJECT('d', CAST('2020-01-02' AS DATE))", "'{\"d\": \"2020-01-02\"}'"},
      {"DATE and STRING at the root", "CAST(CAST('2020-01-02' AS DATE) AS JSON)", "'\"2020-01-02\"'"},
      {"TIME and STRING", "JSON_ARRAY(CAST('10:11:12' AS TIME))", "'[\"10:11:12.000000\"]'"},
      {"DATETIME and STRING", "JSON_ARRAY(TIMESTAMP('2020-01-02 03:04:05'))", "'[\"2020-01-02 03:04:05.000000\"]'"},
      {"BLOB and STRING", "JSON_ARRAY(x'cafe')", "'[\"base64:type253:yv4=\"]'"},
      {"BIT and BLOB text", "CAST(b'101' AS JSON)", "'\"base64:type15:BQ==\"'"},
      {"types swapped between members", "JSON_OBJECT('a', 5, 'b', CAST(5 AS UNSIGNED))",
       "JSON_OBJECT('a', CAST(5 AS UNSIGNED), 'b', 5)"},
      {"deep inside", "JSON_OBJECT('a', JSON_ARRAY(1, JSON_OBJECT('b', JSON_ARRAY(CAST(1.5 AS DECIMAL(2,1))))))",
       "'{\"a\": [1, {\"b\": [1.5]}]}'"},
      {"-0.0 and 0.0", "JSON_ARRAY(-0e0)", "JSON_ARRAY(0e0)"},
  };
  for (const auto& pair : twins) {
    SCOPED_TRACE(pair.name);
    on_both("DELETE FROM docs");
    source_.execute(std::string("INSERT INTO docs VALUES (1, ") + pair.source + ")");
    target_.execute(std::string("INSERT INTO docs VALUES (1, ") + pair.target + ")");
    EXPECT_THAT(found(), ElementsAre("docs differs"));
    target_.execute("DELETE FROM docs");
    target_.execute(std::string("INSERT INTO docs VALUES (1, ") + pair.source + ")");
    EXPECT_THAT(found(), IsEmpty());
  }
}

TEST_F(VerifyServer, names_missing_extra_and_changed_rows_over_many_chunks) {
  on_both("CREATE TABLE items (id INT PRIMARY KEY, n INT, name VARCHAR(50))");
  on_both(
      "INSERT INTO items WITH RECURSIVE k AS (SELECT 1 i UNION ALL SELECT i+1 FROM k WHERE i<10000)"
      " SELECT i*2, i, CONCAT('item', i) FROM k");
  Options options;
  options.rows_per_chunk = 300;
  options.threads = 3;
  const auto equal = quiet(options);
  EXPECT_TRUE(equal.equal());
  EXPECT_EQ(equal.rows, 10000U);
  EXPECT_EQ(equal.chunks, 34U);
  EXPECT_EQ(equal.digest, quiet().digest) << "the digest does not depend on the chunks";

  target_.execute("DELETE FROM items WHERE id=2");
  target_.execute("INSERT INTO items VALUES (3,0,''),(99999,0,'')");
  target_.execute("UPDATE items SET n=n+1 WHERE id=20000");
  const auto report = quiet(options);
  EXPECT_THAT(named(report.differences), UnorderedElementsAre("items only_on_source", "items only_on_target",
                                                              "items only_on_target", "items differs"));
  EXPECT_EQ(report.differences[0].key_text, source_.scalar("SELECT SHA2(2,256)").value());
  EXPECT_EQ(text(report.differences[0]),
            "shop.items: row " + report.differences[0].key_text + " is missing on the target");
}

TEST_F(VerifyServer, splits_chunks_whose_keys_do_not_fit) {
  on_both("CREATE TABLE items (k VARCHAR(200) PRIMARY KEY, n INT)");
  on_both(
      "INSERT INTO items WITH RECURSIVE k AS (SELECT 1 i UNION ALL SELECT i+1 FROM k WHERE i<2000)"
      " SELECT CONCAT(REPEAT('k', 150), i), i FROM k");
  target_.execute("UPDATE items SET n=0 WHERE n IN (7, 1234)");
  Options options;
  options.key_bytes_per_chunk = 4096;
  EXPECT_THAT(found(options), ElementsAre("items differs", "items differs"));
}

TEST_F(VerifyServer, sees_two_values_swapped_and_updates_lost_in_pairs) {
  on_both("CREATE TABLE items (id INT PRIMARY KEY, status INT)");
  on_both("INSERT INTO items VALUES (1,0),(2,0),(3,0),(4,0),(5,10),(6,20)");
  // The change of status flips the same CRC32 bits in each of four rows: BIT_XOR(CRC32()) over them is the same.
  source_.execute("UPDATE items SET status=1 WHERE id<=4");
  const auto blind = "SELECT BIT_XOR(CRC32(CONCAT_WS(',', id, status))) FROM items WHERE id<=4";
  ASSERT_EQ(source_.scalar(blind), target_.scalar(blind)) << "the case no longer shows what it is for";
  EXPECT_EQ(found().size(), 4U);
  source_.execute("UPDATE items SET status=0 WHERE id<=4");
  target_.execute("UPDATE items SET status=30-status WHERE id IN (5,6)");
  EXPECT_THAT(found(), ElementsAre("items differs", "items differs"));
}

TEST_F(VerifyServer, sees_a_byte_in_a_large_blob_and_in_a_row_near_the_packet_limit) {
  on_both("CREATE TABLE files (id INT PRIMARY KEY, body LONGBLOB, more LONGTEXT, doc JSON)");
  for (auto* session : {&source_, &target_})
    session->execute(
        "INSERT INTO files VALUES (1, REPEAT('x', 20*1024*1024), REPEAT('y', 20*1024*1024), NULL),"
        " (2, '', '', CAST(CONCAT('[', REPEAT('1,', 300000), '2]') AS JSON))");
  EXPECT_THAT(found(), IsEmpty());
  target_.execute("UPDATE files SET body=CONCAT(REPEAT('x', 20*1024*1024-1), 'z') WHERE id=1");
  EXPECT_THAT(found(), ElementsAre("files differs"));
}

TEST_F(VerifyServer, a_row_that_cannot_be_hashed_is_a_failure_not_equality) {
  on_both("CREATE TABLE docs (id INT PRIMARY KEY, doc JSON)");
  on_both("INSERT INTO docs VALUES (1, CAST(CONCAT('[', REPEAT('1,', 100000), '2]') AS JSON))");
  const auto docs = table("docs");
  auto session = source_server_->connect(Side::source);
  session.execute("SET SESSION group_concat_max_len=1000");
  EXPECT_THROW(read_rows(session, docs, nullptr, "TRUE", [](std::string&&, const RowHash&) {}), base::Failure);
}

TEST_F(VerifyServer, keys_of_all_kinds_cut_and_find_their_rows) {
  on_both("CREATE TABLE k_big (id BIGINT UNSIGNED PRIMARY KEY, n INT)");
  on_both("INSERT INTO k_big VALUES (0,1),(9223372036854775808,2),(18446744073709551614,3),(18446744073709551615,4)");
  on_both("CREATE TABLE k_enum (e ENUM('z','a','m,''x'), s SET('x','y'), b BIT(40), n INT, PRIMARY KEY (e,s,b))");
  on_both("INSERT INTO k_enum VALUES (0,1,1,0),(1,1,1,1),(2,0,2,2),(2,3,5,3),(3,1,1099511627775,4)");
  on_both(
      "CREATE TABLE k_ci (a VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, b CHAR(5) CHARACTER SET utf16, n INT,"
      " PRIMARY KEY (a,b DESC))");
  on_both("INSERT INTO k_ci VALUES ('b','x',1),('A','y',2),('a','z',3),('Ç','x',4),('zz','',5)");
  on_both("CREATE TABLE k_gbk (g VARCHAR(20) CHARACTER SET gbk PRIMARY KEY, n INT)");
  on_both("INSERT INTO k_gbk VALUES (_gbk X'BF5C',1),(_gbk X'BF5C27',2),('plain',3),('',4)");
  on_both("CREATE TABLE k_bin (b VARBINARY(20) PRIMARY KEY, n INT)");
  on_both("INSERT INTO k_bin VALUES ('',1),(x'00',2),(x'0000',3),(x'ff27',4)");
  on_both(
      "CREATE TABLE k_time (d DATE, ts TIMESTAMP(6), t TIME(3), de DECIMAL(30,10), y YEAR, n INT,"
      " PRIMARY KEY (d,ts,t,de,y))");
  on_both(
      "INSERT INTO k_time VALUES ('0000-00-00','2020-01-01 00:00:00.000001','-10:00:00.001',-1.5,0,1),"
      "('0000-00-00','2020-01-01 00:00:00.000001','-10:00:00.001',-1.4,2000,2),"
      "('2020-10-00','2038-01-19 03:14:07','838:59:59',0,1901,3)");
  on_both("CREATE TABLE k_unique (id INT, u INT NOT NULL, n INT, UNIQUE KEY (u))");
  on_both("INSERT INTO k_unique VALUES (1,3,1),(1,2,2),(NULL,1,3)");
  Options options;
  options.rows_per_chunk = 1;
  EXPECT_TRUE(quiet(options).equal());
  for (const auto* name : {"k_big", "k_enum", "k_ci", "k_gbk", "k_bin", "k_time", "k_unique"}) {
    SCOPED_TRACE(name);
    const auto one = table(name);
    const auto& key = *one.row_key();
    std::vector<sql::KeyValues> keys;
    for (const auto& row : source_.query("SELECT " + sql::key_columns(one, key) + " FROM " + one.name.quoted())) {
      auto& values = keys.emplace_back();
      for (const auto& cell : row) values.push_back(cell.value());
    }
    const auto differing = [&](const std::vector<sql::KeyValues>& some) {
      const auto by_turns = compare_keys(source_, target_, one, some, Order::source_first, 2).size();
      EXPECT_EQ(compare_keys(source_, target_, one, some, Order::at_once).size(), by_turns);
      return by_turns;
    };
    EXPECT_EQ(differing(keys), 0U);
    target_.execute("UPDATE " + one.name.quoted() + " SET n=n+100");
    EXPECT_EQ(differing(keys), keys.size());
    EXPECT_EQ(differing({keys[0]}), 1U);
    EXPECT_EQ(found(options).size(), keys.size());
    target_.execute("DELETE FROM " + one.name.quoted());
    EXPECT_EQ(differing(keys), keys.size());
    EXPECT_EQ(found(options).size(), keys.size());
    target_.execute("DROP TABLE " + one.name.quoted());
    source_.execute("DROP TABLE " + one.name.quoted());
  }
}

TEST_F(VerifyServer, a_key_changed_only_in_case_is_seen) {
  on_both("CREATE TABLE users (name VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY)");
  source_.execute("INSERT INTO users VALUES ('Ann')");
  target_.execute("INSERT INTO users VALUES ('ann')");
  EXPECT_THAT(found(), ElementsAre("users only_on_source", "users only_on_target"));
}

TEST_F(VerifyServer, tables_without_a_key_are_compared_with_multiplicity) {
  on_both("CREATE TABLE log (line VARCHAR(20), f DOUBLE)");
  on_both("INSERT INTO log VALUES ('a',1),('a',1),('a',1),('b',2)");
  on_both("CREATE TABLE by_float (f FLOAT PRIMARY KEY, n INT)");
  on_both("INSERT INTO by_float VALUES (0.1,1),(0.2,2)");
  EXPECT_THAT(found(), IsEmpty());
  target_.execute("DELETE FROM log WHERE line='a' LIMIT 1");
  EXPECT_THAT(found(), ElementsAre("log only_on_source"));
  target_.execute("INSERT INTO log VALUES ('c',3)");
  target_.execute("UPDATE by_float SET n=9 WHERE n=1");
  EXPECT_THAT(found(), ElementsAre("by_float only_on_source", "by_float only_on_target", "log only_on_source",
                                   "log only_on_target"));
}

TEST_F(VerifyServer, generated_columns_that_differ_are_found) {
  on_both("CREATE TABLE items (id INT PRIMARY KEY, n INT)");
  on_both("INSERT INTO items VALUES (1,1)");
  source_.execute("ALTER TABLE items ADD COLUMN g INT AS (n+1)");
  target_.execute("ALTER TABLE items ADD COLUMN g INT AS (n+2)");
  EXPECT_THAT(found(), ElementsAre("items differs"));
}

TEST_F(VerifyServer, tables_that_cannot_be_compared_are_never_equal) {
  on_both("CREATE TABLE here (id INT PRIMARY KEY)");
  source_.execute("CREATE TABLE missing (id INT PRIMARY KEY)");
  source_.execute("CREATE TABLE shorter (id INT PRIMARY KEY, n INT)");
  target_.execute("CREATE TABLE shorter (id INT PRIMARY KEY)");
  source_.execute("CREATE TABLE other (id INT PRIMARY KEY, n INT)");
  target_.execute("CREATE TABLE other (id INT PRIMARY KEY, n VARCHAR(10))");
  const auto report = quiet();
  EXPECT_FALSE(report.equal());
  std::vector<std::string> names;
  for (const auto& one : report.unjudged) {
    EXPECT_EQ(one.why, Unjudged::Why::not_comparable);
    names.push_back(one.table.name);
  }
  EXPECT_THAT(names, UnorderedElementsAre("missing", "other", "shorter"));
}

TEST_F(VerifyServer, too_many_differences_make_the_table_different) {
  on_both("CREATE TABLE items (id INT PRIMARY KEY)");
  source_.execute(
      "INSERT INTO items WITH RECURSIVE k AS (SELECT 1 i UNION ALL SELECT i+1 FROM k WHERE i<5000)"
      " SELECT i FROM k");
  Options options;
  options.max_differences = 100;
  const auto report = quiet(options);
  EXPECT_EQ(report.differences.size(), 100U);
  EXPECT_THAT(report.different_tables, ElementsAre(sql::TableName{"shop", "items"}));
}

TEST_F(VerifyServer, awkward_names_stay_names) {
  on_both("CREATE TABLE `a``b 'c\" --` (`r` INT, `v` JSON, `leaf` JSON, `select` TEXT, PRIMARY KEY (`r`))");
  on_both("INSERT INTO `a``b 'c\" --` VALUES (1, '{\"x\": 1}', '[1]', 'x')");
  EXPECT_THAT(found(), IsEmpty());
  // An UPDATE to a document that compares equal (1 and unsigned 1 do) would not be written.
  target_.execute("REPLACE INTO `a``b 'c\" --` VALUES (1, '{\"x\": 1}', JSON_ARRAY(CAST(1 AS UNSIGNED)), 'x')");
  EXPECT_EQ(found().size(), 1U);
}

TEST_F(VerifyServer, a_stop_ends_the_comparison) {
  on_both("CREATE TABLE items (id INT PRIMARY KEY)");
  std::stop_source stop;
  stop.request_stop();
  try {
    verifier().compare(tables(), {}, stop.get_token());
    FAIL() << "it went on";
  } catch (const base::Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::interrupted);
  }
}

}  // namespace
}  // namespace reseal::verify
