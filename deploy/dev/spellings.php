<?php
/**
 * Sends every spelling of tests/vectors/spellings.jsonl to a WordPress brought up by wordpress-up, and holds what its
 * stand-in endpoints noted against the table: php spellings.php 127.0.0.1:8081 DIR/log/hits.jsonl [--write]
 *
 * "reaches" in the table is what WordPress did; --write notes it there. A spelling that reaches an endpoint and is not
 * guarded as that endpoint is an error.
 */

list( , $address, $log ) = $argv;
$table  = __DIR__ . '/../../tests/vectors/spellings.jsonl';
$lines  = file( $table, FILE_IGNORE_NEW_LINES );
$wrong  = 0;
$noted  = array();
$write  = in_array( '--write', $argv, true );
foreach ( $lines as $at => $line ) {
	$case = json_decode( $line, true, 512, JSON_THROW_ON_ERROR );
	file_put_contents( $log, '' );
	send( $address, $case );
	usleep( false !== strpos( $case['target'], 'wp-cron' ) ? 500000 : 5000 ); // it answers first, and works then
	$hits    = array_map( static fn( $hit ) => json_decode( $hit, true )['endpoint'], file( $log, FILE_IGNORE_NEW_LINES ) );
	$reaches = $hits ? implode( '+', array_unique( $hits ) ) : null;
	$guard   = preg_replace( '/^form:/', '', $case['guard'] );
	$missed  = null !== $reaches && $reaches !== $guard && ! in_array( $case['guard'], array( 'batch', 'unclear' ), true );
	$changed = array_key_exists( 'reaches', $case ) && $case['reaches'] !== $reaches;
	if ( $missed || ( $changed && ! $write ) ) {
		++$wrong;
		echo ( $missed ? 'NOT GUARDED ' : 'CHANGED ' ), $reaches ?? 'nothing', ': ', substr( $line, 0, 200 ), "\n";
	}
	$noted[] = json_encode( array( 'reaches' => $reaches ) + $case, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
}
if ( $write ) {
	file_put_contents( $table, implode( "\n", $noted ) . "\n" );
}
echo count( $lines ), " spellings, $wrong wrong\n";
exit( $wrong ? 1 : 0 );

/** Byte for byte: a client library would clean the target up. */
function send( $address, $case ) {
	$body   = $case['body'] ?? '';
	$socket = stream_socket_client( "tcp://$address", $code, $text, 10 );
	stream_set_timeout( $socket, 30 );
	fwrite(
		$socket,
		"{$case['method']} {$case['target']} HTTP/1.1\r\nHost: $address\r\nConnection: close\r\n"
		. ( isset( $case['type'] ) ? "Content-Type: {$case['type']}\r\nContent-Length: " . strlen( $body ) . "\r\n" : '' )
		. "\r\n$body"
	);
	stream_get_contents( $socket );
	fclose( $socket );
}
