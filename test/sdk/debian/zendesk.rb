# SPDX-License-Identifier: Apache-2.0
# frozen_string_literal: true

# An application without a package of its own for the CRM: it follows the links in the answers as they come.
require 'json'
begin
  require 'faraday'
rescue LoadError
  exit 3
end

ZENDESK = Faraday.new("#{ENV.fetch('URL')}/api/v2/") do |connection|
  connection.basic_auth 'anybody@acme.test/token', ENV.fetch('KEY')
  connection.adapter :net_http
end

def call(method, url, parameters = {}, body = nil)
  answer = ZENDESK.run_request(method, url, body&.to_json, body && { 'Content-Type' => 'application/json' }) do |request|
    request.params.update(parameters)
  end
  raise "#{url}: #{answer.status} #{answer.body}" unless answer.success?

  JSON.parse(answer.body)
end

# The ids of all tickets in a list; the block finds the address of the next page.
def tickets(url, parameters = {})
  ids = []
  while url
    page = call(:get, url, parameters)
    ids.concat(page['tickets'].map { |ticket| ticket['id'] })
    url = yield page
    parameters = {}
  end
  ids.uniq
end

found = call(:get, 'users/search.json', { 'query' => 'user250@example.test' })
created = call(:post, 'tickets.json', {}, { 'ticket' => { 'subject' => 'Call', 'comment' => { 'body' => 'hello' }, 'external_id' => 'sdk' } })
exports = [
  tickets('tickets.json') { |page| page['next_page'] },
  tickets('tickets.json', { 'page[size]' => '100' }) { |page| page['meta']['has_more'] && page['links']['next'] },
  tickets('incremental/tickets/cursor.json', { 'start_time' => '0' }) { |page| page['end_of_stream'] ? nil : page['after_url'] }
]
call(:get, 'tickets/1.json')
refusal = ZENDESK.get('tickets/1.json')
puts JSON.generate(
  'version' => Faraday::VERSION,
  'found' => found['users'][0]['name'],
  'created' => created['ticket']['id'].to_s,
  'exported' => exports.map(&:size).min,
  'refusal' => refusal.headers['Retry-After'].to_i.positive? ? "status #{refusal.status}" : 'no Retry-After'
)
