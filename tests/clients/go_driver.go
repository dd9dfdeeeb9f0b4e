// SPDX-License-Identifier: Apache-2.0

// A client of tools/clients: Go's driver under database/sql.
//
//	go_driver HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
//
// RESEAL_CLIENT_VERSION is what it says its version is. database/sql tries again by itself on another connection when
// the driver says that one is dead, but not for a connection that is held, as two of the three are here. Its pool ends
// connections after two seconds.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	mode    = "STRICT_TRANS_TABLES,NO_ZERO_DATE"
	columns = "INSERT INTO work (client, kind, number, part, words, bytes, document, maybe) VALUES "
	row     = "SELECT words, bytes, document FROM work WHERE client = ? AND kind = ? AND number = ?"
	session = "SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR), @@character_set_client, " +
		"@@autocommit, DATABASE()"
)

var (
	ctx          = context.Background()
	lock         sync.Mutex
	longest      time.Duration
	folder, name string
)

func words(number int) string { return fmt.Sprintf("Grüße 北京 🎉 %d", number) }

func allBytes(number int) []byte {
	all := make([]byte, 256)
	for at := range all {
		all[at] = byte(at + number)
	}
	return all
}

func document(number int) map[string]interface{} {
	return map[string]interface{}{"number": float64(number), "words": words(number),
		"list": []interface{}{1.0, 2.5, nil}}
}

func note(suffix, line string) {
	lock.Lock()
	defer lock.Unlock()
	file, err := os.OpenFile(folder+"/"+name+suffix, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintln(file, strings.ReplaceAll(line, "\n", " "))
}

func expect(what string, wanted, seen interface{}) error {
	if reflect.DeepEqual(wanted, seen) {
		return nil
	}
	return fmt.Errorf("wrong %s: %v and not %v", what, seen, wanted)
}

func timed(work func() error) error {
	begin := time.Now()
	err := work()
	lock.Lock()
	defer lock.Unlock()
	if took := time.Since(begin); took > longest {
		longest = took
	}
	return err
}

// insert runs an INSERT that changes one row, and returns the row's id.
func insert(execute func() (sql.Result, error)) (id int64, err error) {
	err = timed(func() error {
		result, err := execute()
		if err != nil {
			return err
		}
		rows, _ := result.RowsAffected()
		id, _ = result.LastInsertId()
		return expect("affected rows", int64(1), rows)
	})
	return id, err
}

func values(kind string, number, part int) []interface{} {
	text, _ := json.Marshal(document(number))
	var maybe interface{}
	if number%2 == 0 {
		maybe = number
	}
	return []interface{}{name, kind, number, part, words(number), allBytes(number), string(text), maybe}
}

// plain is an INSERT of one row in the text protocol.
func plain(kind string, number, part int) string {
	text, _ := json.Marshal(document(number))
	return columns + fmt.Sprintf("('%s', '%s', %d, %d, '%s', x'%x', '%s', NULL)", name, kind, number, part, words(number),
		allBytes(number), text)
}

func mark() string { return name + " ü 🎉" }

func setUp(on *sql.Conn) error {
	_, err := on.ExecContext(ctx, "SET time_zone = '+05:30', sql_mode = ?, @mark = ?, @amount = 2.50", mode, mark())
	return err
}

func look(on *sql.Conn) error {
	var zone, seenMode, seenMark, amount, charset, autocommit, schema string
	err := timed(func() error {
		return on.QueryRowContext(ctx, session).Scan(&zone, &seenMode, &seenMark, &amount, &charset, &autocommit, &schema)
	})
	if err != nil {
		return err
	}
	return expect("session", []string{"+05:30", mode, mark(), "2.50", "utf8mb4", "1", "clients"},
		[]string{zone, seenMode, seenMark, amount, charset, autocommit, schema})
}

// held is one connection, and what is prepared on it for as long as it is there.
type held struct {
	conn        *sql.Conn
	insert, row *sql.Stmt
}

func hold(db *sql.DB) (held, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return held{}, err
	}
	if err = setUp(conn); err != nil {
		return held{}, err
	}
	here := held{conn: conn}
	if here.insert, err = conn.PrepareContext(ctx, columns+"(?, ?, ?, ?, ?, ?, ?, ?)"); err != nil {
		return held{}, err
	}
	here.row, err = conn.PrepareContext(ctx, row)
	return here, err
}

func (here held) single(number int) error {
	told, err := insert(func() (sql.Result, error) { return here.conn.ExecContext(ctx, plain("single", number, 1)) })
	if err != nil {
		return err
	}
	note(".acknowledged", fmt.Sprintf("single %d", number))
	var id int64
	if err = here.conn.QueryRowContext(ctx, "SELECT LAST_INSERT_ID()").Scan(&id); err != nil {
		return err
	}
	return expect("last insert id", told, id)
}

func (here held) pair(number int) error {
	transaction, err := here.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for part := 1; part <= 2; part++ {
		if _, err = insert(func() (sql.Result, error) { return transaction.Exec(plain("pair", number, part)) }); err != nil {
			transaction.Rollback()
			return err
		}
	}
	if err = timed(transaction.Commit); err == nil {
		note(".acknowledged", fmt.Sprintf("pair %d", number))
	}
	return err
}

func (here held) prepared(number int) error {
	_, err := insert(func() (sql.Result, error) { return here.insert.Exec(values("prepared", number, 1)...) })
	if err != nil {
		return err
	}
	note(".acknowledged", fmt.Sprintf("prepared %d", number))
	var text string
	var blob, found []byte
	err = timed(func() error { return here.row.QueryRow(name, "prepared", number).Scan(&text, &blob, &found) })
	if err != nil {
		return err
	}
	var parsed map[string]interface{}
	if err = json.Unmarshal(found, &parsed); err != nil {
		return err
	}
	if !bytes.Equal(blob, allBytes(number)) {
		return errors.New("wrong bytes")
	}
	if err = expect("words", words(number), text); err != nil {
		return err
	}
	return expect("document", document(number), parsed)
}

func pooled(db *sql.DB, number int) error {
	_, err := insert(func() (sql.Result, error) {
		return db.Exec(columns+"(?, ?, ?, ?, ?, ?, ?, ?)", values("pooled", number, 1)...)
	})
	if err == nil {
		note(".acknowledged", fmt.Sprintf("pooled %d", number))
	}
	return err
}

// loop runs step over and over on what open makes; after an error on a new one.
func loop(group *sync.WaitGroup, db *sql.DB, step func(held, int) error) {
	group.Add(1)
	go func() {
		defer group.Done()
		var here held
		for number := 1; ; number++ {
			if _, err := os.Stat(folder + "/stop"); err == nil {
				return
			}
			var err error
			if here.conn == nil {
				here, err = hold(db)
			}
			if err == nil {
				err = step(here, number)
			}
			if err != nil {
				note(".errors", err.Error())
				if here.conn != nil {
					here.conn.Raw(func(interface{}) error { return errors.New("not to be used again") })
					here.conn.Close()
				}
				here = held{}
				time.Sleep(200 * time.Millisecond)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
}

func open(host, port, user, passwordFile, ca string) *sql.DB {
	password, err := os.ReadFile(passwordFile)
	if err != nil {
		panic(err)
	}
	config := mysql.NewConfig()
	config.User, config.Passwd = user, strings.TrimSpace(string(password))
	config.Net, config.Addr, config.DBName = "tcp", host+":"+port, "clients"
	config.Collation = "utf8mb4_unicode_ci"
	if ca != "-" {
		config.TLSConfig = "checked"
		mysql.RegisterTLSConfig("checked", trusting(ca))
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		panic(err)
	}
	return db
}

// trusting checks the chain and not the name, since the servers' own certificates name no host.
func trusting(ca string) *tls.Config {
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(ca); err != nil || !roots.AppendCertsFromPEM(pem) {
		panic("no certificates in " + ca)
	}
	return &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
		return err
	}}
}

func main() {
	host, port, user, passwordFile, ca := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	folder, name = os.Args[6], os.Args[7]
	connections := open(host, port, user, passwordFile, ca)
	pool := open(host, port, user, passwordFile, ca)
	pool.SetConnMaxLifetime(2 * time.Second)
	pool.SetMaxOpenConns(3)

	var group sync.WaitGroup
	loop(&group, connections, func(here held, number int) error {
		if err := here.single(number); err != nil {
			return err
		}
		if err := here.pair(number); err != nil {
			return err
		}
		return look(here.conn)
	})
	loop(&group, connections, func(here held, number int) error {
		if err := here.prepared(number); err != nil {
			return err
		}
		return look(here.conn)
	})
	for one := 0; one < 3; one++ {
		one := one
		loop(&group, connections, func(_ held, number int) error { return pooled(pool, 3*number+one) })
	}
	group.Wait()
	note(".summary", fmt.Sprintf("version=%s longest_wait_ms=%d", os.Getenv("RESEAL_CLIENT_VERSION"),
		longest.Milliseconds()))
}
