# frozen_string_literal: true

# What every class of values keeps to. `value` is one, `same` is made in another way and equal to
# it, `others` differ from it.
RSpec.shared_examples "a frozen value" do
  it "is frozen, and can be shared between Ractors" do
    expect(value).to be_frozen
    expect(Ractor.shareable?(value)).to be(true)
  end

  it "equals one with the same fields, and nothing else" do
    expect(value).to eq(same).and eql(same)
    expect(value.hash).to eq(same.hash)
    [*others, nil, value.to_s, value.deconstruct, Object.new].each do |other|
      expect(value).not_to eq(other)
      expect(value).not_to eql(other)
    end
  end

  it "makes a Marshal round trip and is frozen again" do
    [value, *others].each do |one|
      copy = Marshal.load(Marshal.dump(one))
      expect(copy).to eql(one).and be_frozen
      expect(Ractor.shareable?(copy)).to be(true)
    end
  end

  it "can't be changed by loading into it" do
    expect { value.marshal_load(others.first.marshal_dump) }.to raise_error(FrozenError)
  end
end
