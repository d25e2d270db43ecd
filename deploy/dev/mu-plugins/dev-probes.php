<?php
/**
 * Plugin Name: Hookwarden development probes
 * Description: Answers that let tests see what reaches PHP. For the development site only: never install it on a real one.
 *
 * Any path under /dev-echo answers, as JSON, what PHP saw of the request.
 * /dev-reply answers what its query asks for: status, size, sleep, stream, cookies.
 */

// WordPress 6.1 on PHP 8.2 is full of deprecations; keep the log for real faults.
error_reporting( E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED );

// Mail goes to a file: a pluggable function defined first wins.
function wp_mail( $to, $subject, $message ) {
	return (bool) file_put_contents( HOOKWARDEN_DEV_MAIL_LOG, implode( ',', (array) $to ) . "\t$subject\n", FILE_APPEND );
}

function hookwarden_dev_echo() {
	$headers = array();
	foreach ( $_SERVER as $name => $value ) {
		if ( 0 === strpos( $name, 'HTTP_' ) || in_array( $name, array( 'CONTENT_TYPE', 'CONTENT_LENGTH' ), true ) ) {
			$headers[ strtolower( strtr( preg_replace( '/^HTTP_/', '', $name ), '_', '-' ) ) ] = base64_encode( $value );
		}
	}
	$body = file_get_contents( 'php://input' );
	$files = array();
	foreach ( $_FILES as $field => $file ) {
		$files[ $field ] = array( $file['name'], $file['size'], $file['error'] ? null : hash_file( 'sha256', $file['tmp_name'] ) );
	}
	header( 'Content-Type: application/json' );
	echo json_encode(
		array(
			'method'  => $_SERVER['REQUEST_METHOD'],
			'uri'     => base64_encode( $_SERVER['REQUEST_URI'] ),
			'proto'   => $_SERVER['SERVER_PROTOCOL'],
			'remote'  => $_SERVER['REMOTE_ADDR'],
			'ssl'     => is_ssl(),
			'headers' => $headers,
			'length'  => strlen( $body ),
			'sha256'  => hash( 'sha256', $body ),
			'post'    => array_map( 'base64_encode', array_filter( $_POST, 'is_string' ) ),
			'files'   => $files,
			'httpoxy' => ! empty( $_SERVER['HOOKWARDEN_DEV_PROXY'] ),
		)
	);
}

function hookwarden_dev_reply() {
	$ask = static fn( $name, $otherwise ) => (int) ( $_GET[ $name ] ?? $otherwise );
	http_response_code( $ask( 'status', 200 ) );
	header( 'Content-Type: application/octet-stream' );
	for ( $i = 0; $i < $ask( 'cookies', 0 ); $i++ ) {
		header( "Set-Cookie: dev_$i=v$i; path=/; HttpOnly; SameSite=Lax; expires=Wed, 01 Jan 2031 00:00:00 GMT", false );
	}
	if ( isset( $_GET['retry'] ) ) {
		header( 'Retry-After: ' . $ask( 'retry', 1 ) );
	}
	sleep( $ask( 'sleep', 0 ) );
	$size = $ask( 'size', 0 );
	if ( isset( $_GET['length'] ) ) {
		header( "Content-Length: $size" );
	}
	if ( isset( $_GET['stream'] ) ) {
		header( 'X-Accel-Buffering: no' );
		for ( $i = 0; $i < 4; $i++ ) {
			echo "tick $i\n";
			ob_get_level() && ob_flush();
			flush();
			sleep( 1 );
		}
	}
	for ( $at = 0; $at < $size; $at += 65536 ) {
		echo substr( str_repeat( hash( 'sha256', (string) $at, true ), 2048 ), 0, min( 65536, $size - $at ) );
	}
}

if ( isset( $_SERVER['REQUEST_URI'] ) && preg_match( '~^/+dev-(echo|reply)\b~', $_SERVER['REQUEST_URI'], $m ) ) {
	while ( ob_get_level() ) {
		ob_end_clean();
	}
	'echo' === $m[1] ? hookwarden_dev_echo() : hookwarden_dev_reply();
	exit;
}
