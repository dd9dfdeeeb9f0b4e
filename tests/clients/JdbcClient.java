// SPDX-License-Identifier: Apache-2.0
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mariadb.jdbc.MariaDbPoolDataSource;
import org.mariadb.jdbc.internal.util.constant.Version;

/**
 * A client of tools/clients: JDBC by MariaDB's Connector/J.
 *
 * <p>java JdbcClient HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
 *
 * <p>The driver's own pool resets connections of MariaDB's servers only (2.7.6), so here they come as they went, with
 * the prepared statements that the driver keeps open on them.
 */
public final class JdbcClient {
  private static final String MODE = "STRICT_TRANS_TABLES,NO_ZERO_DATE";
  private static final String INSERT =
      "INSERT INTO work (client, kind, number, part, words, bytes, document, maybe)"
          + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
  private static final String SELECT =
      "SELECT words, bytes, document FROM work WHERE client = ? AND kind = ? AND number = ?";
  private static final String LOOK =
      "SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR), @@character_set_client, @@autocommit, DATABASE()";

  private interface Action {
    void run() throws Exception;
  }

  private static String url;
  private static String user;
  private static String password;
  private static Path folder;
  private static String name;
  private static long longest = 0;

  private static String words(int number) {
    return "Grüße 北京 🎉 " + number;
  }

  private static byte[] bytes(int number) {
    byte[] all = new byte[256];
    for (int at = 0; at < 256; ++at) all[at] = (byte) (at + number);
    return all;
  }

  private static String document(int number) {
    return "{\"list\": [1, 2.5, null], \"words\": \"" + words(number) + "\", \"number\": " + number + "}";
  }

  private static synchronized void note(String suffix, String line) throws Exception {
    Files.write(folder.resolve(name + suffix), (line.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8),
        StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private static void expect(String what, Object wanted, Object seen) {
    if (!wanted.equals(seen)) throw new IllegalStateException("wrong " + what + ": " + seen + " and not " + wanted);
  }

  private static void timed(Action action) throws Exception {
    long begin = System.nanoTime();
    action.run();
    synchronized (JdbcClient.class) {
      longest = Math.max(longest, (System.nanoTime() - begin) / 1_000_000);
    }
  }

  private static Connection connect(String options) throws SQLException {
    Connection connection = DriverManager.getConnection(url + options, user, password);
    try (PreparedStatement set =
        connection.prepareStatement("SET time_zone = '+05:30', sql_mode = ?, @mark = ?, @amount = 2.50")) {
      set.setString(1, MODE);
      set.setString(2, name + " ü 🎉");
      set.execute();
    }
    return connection;
  }

  private static void insert(PreparedStatement insert, String kind, int number, int part) throws Exception {
    insert.setString(1, name);
    insert.setString(2, kind);
    insert.setInt(3, number);
    insert.setInt(4, part);
    insert.setString(5, words(number));
    insert.setBytes(6, bytes(number));
    insert.setString(7, document(number));
    if (number % 2 == 1) insert.setNull(8, Types.INTEGER);
    else insert.setInt(8, number);
    timed(() -> expect("affected rows", 1, insert.executeUpdate()));
  }

  private static void look(PreparedStatement look) throws Exception {
    List<Object> seen = new ArrayList<>();
    timed(() -> {
      try (ResultSet rows = look.executeQuery()) {
        rows.next();
        for (int column = 1; column <= 7; ++column) seen.add(rows.getString(column));
      }
    });
    expect("session", Arrays.asList("+05:30", MODE, name + " ü 🎉", "2.50", "utf8mb4", "1", "clients"), seen);
  }

  /** One connection; what is prepared on it stays so until it is lost. */
  private static final class Held {
    final Connection connection;
    final PreparedStatement insert;
    final PreparedStatement select;
    final PreparedStatement look;

    Held(String options) throws SQLException {
      connection = connect(options);
      insert = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS);
      select = connection.prepareStatement(SELECT);
      look = connection.prepareStatement(LOOK);
    }

    void single(String kind, int number) throws Exception {
      insert(insert, kind, number, 1);
      note(".acknowledged", kind + " " + number);
      try (ResultSet keys = insert.getGeneratedKeys(); Statement ask = connection.createStatement()) {
        keys.next();
        try (ResultSet row = ask.executeQuery("SELECT LAST_INSERT_ID()")) {
          row.next();
          expect("last insert id", keys.getLong(1), row.getLong(1));
        }
      }
      select.setString(1, name);
      select.setString(2, kind);
      select.setInt(3, number);
      try (ResultSet row = select.executeQuery()) {
        row.next();
        expect("words", words(number), row.getString(1));
        expect("bytes", true, Arrays.equals(bytes(number), row.getBytes(2)));
        expect("document", document(number), row.getString(3));
      }
    }

    void pair(int number) throws Exception {
      connection.setAutoCommit(false);
      insert(insert, "pair", number, 1);
      insert(insert, "pair", number, 2);
      timed(connection::commit);
      note(".acknowledged", "pair " + number);
      connection.setAutoCommit(true);
    }
  }

  private static void pooled(MariaDbPoolDataSource pool, int number) throws Exception {
    try (Connection connection = pool.getConnection()) {
      try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
        insert(insert, "pooled", number, 1);
      }
      note(".acknowledged", "pooled " + number);
    }
  }

  private interface Step<T> {
    void run(T at, int number) throws Exception;
  }

  private interface Open<T> {
    T open() throws Exception;
  }

  /** Runs the step over and over on what `open` makes; after an error on a new one. */
  private static <T> Thread loop(Open<T> open, Step<T> step) {
    Thread thread = new Thread(() -> {
      T at = null;
      for (int number = 1; !Files.exists(folder.resolve("stop")); ++number) {
        try {
          try {
            if (at == null) at = open.open();
            step.run(at, number);
          } catch (Exception error) {
            String code = error instanceof SQLException ? " " + ((SQLException) error).getErrorCode() : "";
            note(".errors", error.getClass().getName() + code + ": " + error.getMessage());
            at = null;
            Thread.sleep(200);
          }
          Thread.sleep(50);
        } catch (Exception error) {
          throw new IllegalStateException(error);
        }
      }
    });
    thread.start();
    return thread;
  }

  public static void main(String[] argv) throws Exception {
    user = argv[2];
    password = Files.readString(Path.of(argv[3])).trim();
    String ca = argv[4];
    folder = Path.of(argv[5]);
    name = argv[6];
    url = "jdbc:mariadb://" + argv[0] + ":" + argv[1] + "/clients?"
        + (ca.equals("-") ? "allowPublicKeyRetrieval=true"
            : "useSsl=true&disableSslHostnameVerification=true&serverSslCert=" + ca)
        + (System.getenv("RESEAL_CLIENT_COMPRESSION") == null ? "" : "&useCompression=true");
    MariaDbPoolDataSource pool =
        new MariaDbPoolDataSource(url + "&useServerPrepStmts=true&maxPoolSize=3");
    pool.setUser(user);
    pool.setPassword(password);
    List<Thread> threads = List.of(
        loop(() -> new Held(""), (held, number) -> {
          held.single("single", number);
          held.pair(number);
          look(held.look);
        }),
        loop(() -> new Held("&useServerPrepStmts=true"), (held, number) -> {
          held.single("prepared", number);
          look(held.look);
        }),
        loop(() -> pool, (from, number) -> pooled(from, 2 * number)),
        loop(() -> pool, (from, number) -> pooled(from, 2 * number + 1)));
    for (Thread thread : threads) thread.join();
    pool.close();
    note(".summary", "version=" + Version.version + " longest_wait_ms=" + longest);
  }
}
