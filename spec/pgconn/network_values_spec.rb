# frozen_string_literal: true

require "spec_helper"

# Addresses as the server writes and reads them.
RSpec.describe "Network addresses" do
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }
  let(:oids) { { inet: 869, cidr: 650, macaddr: 829, macaddr8: 774 } }

  # Of all sizes, so that there are runs of zeros.
  def random_inet(network: false)
    width = [32, 128].sample(random: random)
    prefix = random.rand(width + 1)
    number = (random.rand(2**width) >> random.rand(width)) & random.rand(2**width)
    number = number >> (width - prefix) << (width - prefix) if network
    Pgconn::Inet.new(IPAddr.new(number, width == 32 ? Socket::AF_INET : Socket::AF_INET6).to_s, prefix)
  end

  def random_mac(bytes)
    Array.new(bytes) { random.rand(256).to_s(16).rjust(2, "0") }.join(":")
  end

  # What the server makes of the texts: [its value, its text, its bytes] of each.
  def on_server(type, texts)
    connection.execute(<<~SQL, [texts.join("\n")]).fetch_all.map(&:to_a)
      SELECT value, #{type}_out(value)::text, #{type}_send(value) FROM (
        SELECT line::#{type} AS value, number
        FROM unnest(string_to_array($1, E'\\n')) WITH ORDINALITY AS lines (line, number)) AS numbered
      ORDER BY number
    SQL
  end

  def decode(type, bytes, format)
    Pgconn::Codec.decode(oids.fetch(type), bytes, format: format)
  end

  # The bytes of the value as a parameter in binary.
  def encode(type, value)
    oid, format, bytes = Pgconn::Params.encode([Pgconn::Typed.new(value, oids.fetch(type))], "UTF-8").first
    expect([oid, format]).to eq([oids.fetch(type), 1])
    bytes
  end

  %i[inet cidr].each do |type|
    it "are the same in text, in binary and as a result, and are sent as the server sends them: #{type}" do
      values = Array.new(1000) { random_inet(network: type == :cidr) }
      on_server(type, values).zip(values) do |(value, text, bytes), expected|
        expect([value, decode(type, text, :text), decode(type, bytes, :binary)]).to all(eql(expected))
        expect(encode(type, expected)).to eq(bytes)
      end
    end
  end

  { macaddr: 6, macaddr8: 8 }.each do |type, bytes|
    it "are the server's text in both formats: #{type}" do
      values = Array.new(300) { random_mac(bytes) }
      on_server(type, values).zip(values) do |(value, text, binary), expected|
        expect([value, text, decode(type, text, :text), decode(type, binary, :binary).b]).to all(eq(expected))
      end
    end
  end

  it "come back from a parameter as they were, in text and in binary" do
    200.times do
      inet = random_inet
      cidr = random_inet(network: true)
      sent = [inet, Pgconn::Typed.new(inet, 869), cidr, Pgconn::Typed.new(cidr, 650)]
      expect(connection.execute("SELECT $1::inet, $2, $3::cidr, $4", sent).fetch.to_a).to eq([inet, inet, cidr, cidr])
    end
  end

  it "may be an IPAddr, which comes back as an Inet" do
    %w[10.1.2.3 10.0.0.0/8 2001:db8::1 2001:db8::/32 ::ffff:1.2.3.4].each do |text|
      address = IPAddr.new(text)
      value, typed = connection.execute("SELECT $1::cidr, $2", [address, Pgconn::Typed.new(address, 869)]).fetch.to_a
      expect([value.to_ipaddr, typed.to_ipaddr]).to eq([address, address])
      expect([value.prefix, typed.prefix]).to eq([address.prefix, address.prefix])
    end
  end

  it "that aren't networks raise the server's error as a cidr, with and without a known type" do
    host = Pgconn::Inet.new("192.168.1.5/24")
    [host, Pgconn::Typed.new(host, 650)].each do |value|
      expect { connection.execute("SELECT $1::cidr", [value]) }.to raise_error(Pgconn::Errors::InvalidTextRepresentation, /192\.168\.1\.5/)
    end
  end

  it "may be compared, looked up and grouped" do
    connection.execute("CREATE TEMP TABLE hosts (address inet PRIMARY KEY, mac macaddr)")
    connection.execute("INSERT INTO hosts VALUES ($1, $2), ($3, NULL)", [Pgconn::Inet.new("10.0.0.1/8"), "08-00-2B-01-02-03", IPAddr.new("::1")])
    expect(connection.execute("SELECT * FROM hosts WHERE address <<= $1 OR address = $2", [IPAddr.new("10.0.0.0/8"), Pgconn::Inet.new("::1")])
                     .fetch_all.map(&:to_a)).to eq([[Pgconn::Inet.new("10.0.0.1/8"), "08:00:2b:01:02:03"], [Pgconn::Inet.new("::1"), nil]])
  end
end
