# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn::Connection#quote_identifier" do
  let(:connection) { connect(autocommit: true) }

  it "quotes a name as it is: nothing is folded, and a dot belongs to the name" do
    expect(connection.quote_identifier("Users")).to eq('"Users"')
    expect(connection.quote_identifier("public.users")).to eq('"public.users"')
    expect(connection.quote_identifier(:users)).to eq('"users"')
  end

  it "joins the parts of [schema, name] by dots" do
    expect(connection.quote_identifier(["My shop", :Order])).to eq('"My shop"."Order"')
    expect(connection.quote_identifier(%w[a b c])).to eq('"a"."b"."c"')
  end

  it "makes names of anything that the server gives back the same" do
    names = ["a\"b", "a'b", "a\\b", "; DROP TABLE users; --", "\"; DROP TABLE users; --", "{}", "$1", ":name", "a\nb",
             "grüße", "世界", " ", "select", "%s"]
    names.each do |name|
      cursor = connection.execute("SELECT 1 AS #{connection.quote_identifier(name)}")
      expect(cursor.description.map(&:name)).to eq([name])
    end
  end

  it "creates and finds a table under an odd name" do
    name = connection.quote_identifier(["pg_temp", "O\"Hara's; table"])
    connection.execute("CREATE TABLE #{name} (id int)")
    expect(connection.execute("SELECT count(*) FROM #{name}").fetch_value).to eq(0)
  end

  it "gives UTF-8 for names in other encodings, so that no character has a byte like a quote or a backslash" do
    expect(connection.quote_identifier("表ソ".encode("Windows-31J"))).to eq('"表ソ"')
    expect(connection.quote_identifier("é\"".encode("UTF-16LE"))).to eq('"é"""')
    expect(connection.quote_identifier("é".b)).to eq('"é"')
  end

  it "raises DataError for a NUL byte and for what isn't valid text" do
    expect { connection.quote_identifier("a\0b") }.to raise_error(Pgconn::DataError, /NUL/)
    expect { connection.quote_identifier("a\xFF") }.to raise_error(Pgconn::DataError, /isn't valid UTF-8/)
    expect { connection.quote_identifier("\xFF".b) }.to raise_error(Pgconn::DataError, /isn't valid UTF-8/)
    %w[Windows-31J GBK Big5].each do |encoding|
      expect { connection.quote_identifier("a\x81".dup.force_encoding(encoding)) }
        .to raise_error(Pgconn::DataError, /isn't valid #{encoding}/)
    end
  end

  it "raises ArgumentError for an empty name" do
    ["", [], ["a", ""]].each do |name|
      expect { connection.quote_identifier(name) }.to raise_error(ArgumentError, /empty/)
    end
  end

  it "raises TypeError for anything but a String, a Symbol and an Array of them" do
    [nil, 1, ["a", nil], [["a"]], Object.new].each do |name|
      expect { connection.quote_identifier(name) }.to raise_error(TypeError, /identifier/)
    end
  end
end
